//! The address or socket, and its connections.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener, UnixStream, lookup_host};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};

use super::patience::Patient;
use crate::{Bind, ServeError};

/// Connections at once; more wait until one ends.
const CONNECTIONS: usize = 512;
/// A request must be whole after so long, and an idle connection ends.
const HEADERS: Duration = Duration::from_secs(15);
/// Headers of a request are no longer than this.
const LONGEST_HEADERS: usize = 32 * 1024;
/// So long those who are being answered may take when the server ends.
const FAREWELL: Duration = Duration::from_secs(2);

/// Where connections come from.
pub(super) enum Listener {
    Network { listener: TcpListener, address: SocketAddr },
    Socket { listener: UnixListener, path: PathBuf },
}

impl Listener {
    pub(super) async fn open(bind: &Bind) -> Result<Self, ServeError> {
        match bind {
            Bind::Network { host, port } => {
                let failed = |source: io::Error| ServeError::Address {
                    address: format!("{host}:{port}"),
                    source,
                };
                let place = host.trim_start_matches('[').trim_end_matches(']');
                let mut places = lookup_host((place, *port)).await.map_err(failed)?;
                let missing = || io::Error::from(io::ErrorKind::AddrNotAvailable);
                let place = places.next().ok_or_else(missing).map_err(failed)?;
                let listener = TcpListener::bind(place).await.map_err(failed)?;
                let address = listener.local_addr().map_err(failed)?;
                Ok(Listener::Network { listener, address })
            }
            Bind::Socket(path) => {
                let listener = socket(path).await?;
                Ok(Listener::Socket { listener, path: path.clone() })
            }
        }
    }

    pub(super) fn port(&self) -> Option<u16> {
        match self {
            Listener::Network { address, .. } => Some(address.port()),
            Listener::Socket { .. } => None,
        }
    }

    /// The address as a browser needs it.
    pub(super) fn place(&self) -> String {
        match self {
            // No browser goes to "any address".
            Listener::Network { address, .. } if address.ip().is_unspecified() => {
                format!("http://{}:{}", host_name(), address.port())
            }
            Listener::Network { address, .. } => format!("http://{address}"),
            Listener::Socket { .. } => format!("http://localhost:{}", crate::PORT),
        }
    }

    /// What listening there means.
    pub(super) fn exposure(&self) -> Option<String> {
        match self {
            Listener::Network { address, .. } if !is_here(address.ip()) => Some(format!(
                "This listens on {address}: whoever reaches that address over the network and has \
                 the token can read these runs, and the token travels unencrypted. On a machine \
                 that others share, `--socket` with `ssh -L` is safer."
            )),
            Listener::Network { .. } => None,
            Listener::Socket { path, .. } => Some(format!(
                "From your own machine: ssh -L {0}:{1} HOST, then open the address that is printed here.",
                crate::PORT,
                std::path::absolute(path).unwrap_or_else(|_| path.clone()).display()
            )),
        }
    }

    /// Answers until it is told to stop.
    pub(super) async fn serve(
        self,
        router: Router,
        mut stopped: watch::Receiver<bool>,
    ) -> io::Result<()> {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        // Every connection gets a receiver of its own.
        let of_connections = stopped.clone();
        loop {
            let place = tokio::select! {
                place = Arc::clone(&places).acquire_owned() => place,
                () = told(&mut stopped) => break,
            };
            let Ok(place) = place else { break };
            tokio::select! {
                // Neither a visitor who is gone already nor a lack of descriptors ends the server.
                failed = self.accept(&router, &of_connections, place) => if failed {
                    sleep(Duration::from_millis(50)).await;
                },
                () = told(&mut stopped) => break,
            }
        }
        if let Listener::Socket { path, .. } = &self {
            let _gone_already = std::fs::remove_file(path);
        }
        // All places free: everybody was answered.
        let all = places.acquire_many(CONNECTIONS as u32);
        let _in_time = timeout(FAREWELL, all).await;
        Ok(())
    }

    /// Takes one connection; whether that failed.
    async fn accept(
        &self,
        router: &Router,
        stopped: &watch::Receiver<bool>,
        place: OwnedSemaphorePermit,
    ) -> bool {
        match self {
            Listener::Network { listener, .. } => match listener.accept().await {
                Ok((stream, _)) => {
                    let _only_faster = stream.set_nodelay(true);
                    spawn(stream, router, stopped, place);
                    false
                }
                Err(_) => true,
            },
            Listener::Socket { listener, .. } => match listener.accept().await {
                Ok((stream, _)) => {
                    spawn(stream, router, stopped, place);
                    false
                }
                Err(_) => true,
            },
        }
    }
}

/// Waits until the server is told to stop, or nobody is left who could tell.
async fn told(stopped: &mut watch::Receiver<bool>) {
    let _told_or_gone = stopped.wait_for(|stop| *stop).await;
}

/// Answers what comes over one connection.
fn spawn(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: &Router,
    stopped: &watch::Receiver<bool>,
    place: OwnedSemaphorePermit,
) {
    let service = TowerToHyperService::new(router.clone());
    let mut stopped = stopped.clone();
    tokio::spawn(async move {
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS)
            .max_buf_size(LONGEST_HEADERS)
            .serve_connection(TokioIo::new(Patient::new(stream)), service);
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            _ended = connection.as_mut() => {}
            () = told(&mut stopped) => {
                connection.as_mut().graceful_shutdown();
                let _ended = timeout(FAREWELL, connection).await;
            }
        }
        drop(place);
    });
}

/// A socket that only its owner can open.
async fn socket(path: &Path) -> Result<UnixListener, ServeError> {
    let failed = |problem: String| ServeError::Socket { path: path.to_owned(), problem };
    if let Ok(found) = std::fs::symlink_metadata(path) {
        if !found.file_type().is_socket() {
            return Err(failed("there is a file of that name; choose another".to_owned()));
        }
        if UnixStream::connect(path).await.is_ok() {
            return Err(failed("a server listens there already; choose another".to_owned()));
        }
        std::fs::remove_file(path).map_err(|error| failed(error.to_string()))?;
    }
    // Between making a socket and closing it to others somebody could open it: it is never open.
    let usual = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o177));
    let listener = UnixListener::bind(path);
    rustix::process::umask(usual);
    let listener = listener.map_err(|error| failed(error.to_string()))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
        .map_err(|error| failed(error.to_string()))?;
    Ok(listener)
}

/// Is this an address of this machine alone?
pub(super) fn is_here(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// The name of this machine.
pub(super) fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
