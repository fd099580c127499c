//! Ctrl-C and SIGTERM: the first asks to stop in good order, the second again and with more force,
//! the third stops at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static TIMES: AtomicUsize = AtomicUsize::new(0);

/// Forgets what an earlier command of this process was asked.
pub(crate) fn begin() {
    INTERRUPTED.store(false, Ordering::Relaxed);
    TIMES.store(0, Ordering::Relaxed);
}

/// Lets a write beyond the size that files may have fail by an error, which names the file, instead
/// of by a signal that ends the process.
pub(crate) fn outlive_the_limit_of_files() {
    let flag = Arc::new(AtomicBool::new(false));
    // Where it cannot be set, the signal ends the process as it did.
    let _as_before = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, flag);
}

/// Gives the flag that is set when the program is asked to stop.
pub(crate) fn listen() -> &'static AtomicBool {
    on_interrupt(|| {});
    &INTERRUPTED
}

/// Calls `stop` whenever the program is asked to stop.
pub(crate) fn on_interrupt(stop: impl Fn() + Send + 'static) {
    // A handler can be set once in a process, and every command sets one: a second is a bug that
    // only costs comfort.
    let _already_set = ctrlc::set_handler(move || {
        INTERRUPTED.store(true, Ordering::Relaxed);
        if TIMES.fetch_add(1, Ordering::Relaxed) >= 2 {
            std::process::exit(i32::from(crate::diagnostics::INTERRUPTED));
        }
        stop();
    });
}

/// Asks to stop when standard input ends, which is when the process at its other end does.
pub(crate) fn when_input_ends() {
    std::thread::spawn(|| {
        let _ended = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        INTERRUPTED.store(true, Ordering::Relaxed);
    });
}

/// Calls `stop` at every signal with which terminals, shells and batch systems ask a program to
/// end, SIGUSR1 among them.
pub(crate) fn on_any_request(stop: impl Fn() + Send + 'static) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
    let mut signals = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM, SIGUSR1])?;
    std::thread::spawn(move || signals.forever().for_each(|_| stop()));
    Ok(())
}
