//! A live page of studies: the same analysis, words and figures as a report, while runs still run;
//! and a place where λ moves.
//!
//! The server reads and never writes. It answers GET and HEAD alone, to whoever has the token.
//!
//! | module | question it answers |
//! |---|---|
//! | `server` | who may ask, over which address, and what is sent? |
//! | `index` | which studies lie below the folders? |
//! | `study` | what does a study show now, under this filter? |
//! | `run` | what does one run show, and how do two differ? |
//! | `explore` | what follows from a setting, and from λ in a linear model? |
//! | `top` | what does a study show in a terminal, while it runs? |
//! | `view` | how does an answer become a page, and what of it has changed? |
//!
//! # Example
//! ```no_run
//! use wd_serve::{Bind, Options, Server};
//!
//! let options = Options { paths: vec!["runs".into()], ..Options::default() };
//! let server = Server::start(options)?;
//! println!("{}", server.address());
//! let stop = server.stop();
//! std::thread::spawn(move || {
//!     std::thread::sleep(std::time::Duration::from_secs(60));
//!     stop.now();
//! });
//! server.run()?;
//! # Ok::<(), wd_serve::ServeError>(())
//! ```

mod error;
mod explore;
mod index;
mod query;
mod run;
mod server;
mod study;
mod top;
mod view;

use std::path::PathBuf;

pub use error::ServeError;
pub use server::{Server, Stop};
pub use top::{printed, top};

/// The shortest token that may be given: 16 characters of a random one are 96 bits.
pub const MINIMAL_TOKEN: usize = 16;
/// The port where none is asked for.
pub const PORT: u16 = 7373;

/// What is served, and to whom.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folders below which studies are looked for, and files that other programs logged.
    pub paths: Vec<PathBuf>,
    /// Where to listen.
    pub bind: Bind,
    /// What a visitor must know. Default: 256 random bits.
    pub token: Option<String>,
    /// Tables for the page of the linear model, beside the shipped one; each file with the column
    /// that is explained.
    pub tables: Vec<(PathBuf, String)>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            paths: Vec::new(),
            bind: Bind::Network { host: "127.0.0.1".to_owned(), port: PORT },
            token: None,
            tables: Vec::new(),
        }
    }
}

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bind {
    /// A host name or address, and a port; port 0 is any that is free.
    Network {
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
    },
    /// A Unix socket that only its owner can open, for `ssh -L`.
    Socket(PathBuf),
}
