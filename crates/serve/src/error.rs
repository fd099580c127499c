//! Why the page cannot be served.

use std::path::PathBuf;

/// Why the page cannot be served; every variant says how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A folder or file that was named is not there.
    #[error("cannot open {path}: {source}; name a folder with runs")]
    Path {
        /// It.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; choose another with --port or --host")]
    Address {
        /// It.
        address: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The socket cannot be made.
    #[error("cannot make the socket {path}: {problem}")]
    Socket {
        /// It.
        path: PathBuf,
        /// What is the matter.
        problem: String,
    },
    /// A token that protects nothing.
    #[error(
        "the token is shorter than {} characters; leave it out, and one is drawn at random",
        crate::MINIMAL_TOKEN
    )]
    Token,
    /// A table that was named cannot be fitted.
    #[error("the table {path}: {problem}")]
    Table {
        /// Its file.
        path: PathBuf,
        /// What is the matter.
        problem: String,
    },
    /// The terminal cannot be drawn on.
    #[error("cannot draw on this terminal: {0}")]
    Terminal(std::io::Error),
    /// The system gives no random numbers, threads or network.
    #[error("the server cannot start: {0}")]
    Start(#[from] std::io::Error),
}
