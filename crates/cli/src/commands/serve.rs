//! `wd serve`: a live page of studies, and a place where λ moves.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use clap::Args;
use wd_serve::{Bind, MINIMAL_TOKEN, Options, PORT, Server};

use crate::ExitCode;
use crate::diagnostics::CommandError;
use crate::interrupt;

/// The variable of the environment that holds the token: unlike an option, nobody else sees it.
const TOKEN_VARIABLE: &str = "WD_TOKEN";

/// Serve a live page of the studies below some folders
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd serve runs
  wd serve runs mlruns/ mlflow.db --port 8080 --open
  wd serve runs --table houses.csv:price  # λ of another table, on the page of the linear model
  wd serve runs --socket ~/.wd.sock       # on a machine that others use, then on your own:
      ssh -L 7373:/home/me/.wd.sock machine     #   and open http://localhost:7373/?token=…
  wd serve runs --host 0.0.0.0                  # for other machines: mind who can reach this one

The page shows what `wd report` shows, of runs that still run, too, and of what TensorBoard, W&B,
MLflow and others logged. It changes nothing: there is no request that writes. Whoever asks needs
the token, on this machine, too; a cookie keeps it after the first visit. Ctrl-C ends the server.")]
pub(crate) struct Arguments {
    /// Folders below which studies are looked for, run directories, or what another program logged
    /// [default: runs where there is one, else here]
    #[arg(value_name = "DIR")]
    paths: Vec<PathBuf>,

    /// The port; 0 takes any that is free
    #[arg(long, default_value_t = PORT, conflicts_with = "socket")]
    port: u16,

    /// The name or address to listen on; other machines reach only what is not 127.0.0.1
    #[arg(long, default_value = "127.0.0.1", conflicts_with = "socket")]
    host: String,

    /// The token, 16 characters or more [default: drawn at random; or of the variable WD_TOKEN,
    /// which other users of this machine cannot read, as they can an option]
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,

    /// Listen on a Unix socket that only you can open, instead of a port
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,

    /// A table for the page of the linear model, and the column that is explained (may be repeated)
    #[arg(long, value_name = "FILE:COLUMN", value_parser = table)]
    table: Vec<(PathBuf, String)>,

    /// Open the page in a browser
    #[arg(long, conflicts_with = "socket")]
    open: bool,
}

fn table(text: &str) -> Result<(PathBuf, String), String> {
    match text.rsplit_once(':') {
        Some((file, column)) if !file.is_empty() && !column.is_empty() => {
            Ok((PathBuf::from(file), column.to_owned()))
        }
        _ => Err("write the file and the column that is explained: houses.csv:price".to_owned()),
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    let usual = || {
        let runs = PathBuf::from("runs");
        vec![if runs.is_dir() { runs } else { PathBuf::from(".") }]
    };
    let options = Options {
        paths: if arguments.paths.is_empty() { usual() } else { arguments.paths.clone() },
        bind: match &arguments.socket {
            Some(path) => Bind::Socket(path.clone()),
            None => Bind::Network { host: arguments.host.clone(), port: arguments.port },
        },
        token: arguments.token.clone().or_else(|| std::env::var(TOKEN_VARIABLE).ok()),
        tables: arguments.table.clone(),
    };
    if options.token.as_ref().is_some_and(|token| token.len() < MINIMAL_TOKEN) {
        return Err(CommandError::usage(
            format!("the token is shorter than {MINIMAL_TOKEN} characters"),
            "leave it out, and one is drawn at random",
        ));
    }
    let server = Server::start(options)?;
    let address = server.address();
    if let Some(exposure) = server.exposure() {
        eprintln!("{exposure}");
    }
    println!("{address}");
    eprintln!("Open this address; Ctrl-C ends the server.");
    if arguments.open {
        open(&address);
    }
    let stop = server.stop();
    interrupt::on_interrupt(move || stop.now());
    server.run()?;
    Ok(ExitCode::SUCCESS)
}

/// Hands the address to whatever opens addresses here.
fn open(address: &str) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = Command::new(opener);
    command.arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if command.spawn().is_err() {
        eprintln!("There is no {opener} here: open the address by hand.");
    }
}
