//! Who may ask, over which address, and what is sent.
//!
//! | file | what |
//! |---|---|
//! | `listen` | the address or socket; connections, and how long they may take |
//! | `guard` | token and cookie, Host and Origin, methods, the headers of every answer |
//! | `routes` | which address is which page |
//! | `answer` | pages, changes, files and errors as HTTP |
//! | `assets` | the files that pages load |

mod answer;
mod assets;
mod guard;
mod listen;
mod patience;
mod routes;

use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, watch};

use crate::explore::LinearTables;
use crate::index::Index;
use crate::{Options, ServeError};
pub(crate) use assets::address as address_of_asset;
use guard::Guard;
use listen::Listener;
pub(crate) use routes::{Made, Problem, broken, missing};

/// What all requests share.
pub(crate) struct App {
    pub(crate) index: Index,
    pub(crate) tables: LinearTables,
    guard: Guard,
    /// How many answers are made at once: they work on the processor, and wait for a disk.
    working: Semaphore,
}

/// Answers that are made at once.
const WORKING: usize = 32;

/// A server that listens.
pub struct Server {
    runtime: Runtime,
    listener: Listener,
    app: Arc<App>,
    stop: Stop,
}

/// Ends a server, from any thread.
#[derive(Debug, Clone)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Stop {
    /// Ends it: what is being answered is answered.
    pub fn now(&self) {
        self.0.send_replace(true);
    }
}

impl Server {
    /// Looks at the folders, and listens. Nothing is answered before [`Server::run`].
    ///
    /// # Errors
    /// [`ServeError`]: a folder that is not there, an address that is taken, a token too short.
    pub fn start(options: Options) -> Result<Self, ServeError> {
        // Two threads for the network; the answers are made on others.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(WORKING + 2)
            .enable_io()
            .enable_time()
            .build()?;
        let tables = LinearTables::read(&options.tables)?;
        let index = Index::of(&options.paths)?;
        let listener = runtime.block_on(Listener::open(&options.bind))?;
        let guard = Guard::new(&options, listener.port())?;
        let app = Arc::new(App { index, tables, guard, working: Semaphore::new(WORKING) });
        let stop = Stop(Arc::new(watch::Sender::new(false)));
        Ok(Server { runtime, listener, app, stop })
    }

    /// The address to open, with the token.
    pub fn address(&self) -> String {
        self.app.guard.address(&self.listener)
    }

    /// What a person should know who listens to other machines; absent on this machine alone.
    pub fn exposure(&self) -> Option<String> {
        self.listener.exposure()
    }

    /// Ends the server, from any thread.
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Answers until it is [stopped](Stop::now).
    ///
    /// # Errors
    /// [`ServeError::Start`] when the network fails for good.
    pub fn run(self) -> Result<(), ServeError> {
        let Server { runtime, listener, app, stop } = self;
        let stopped = stop.0.subscribe();
        let outcome = runtime.block_on(listener.serve(routes::router(app), stopped));
        // Whatever still computes an answer has nobody to give it to.
        runtime.shutdown_background();
        Ok(outcome?)
    }
}
