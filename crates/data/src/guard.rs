//! The door behind which a library may panic.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::Path;
use std::sync::Once;

use crate::FileError;

thread_local! {
    /// Whether a panic of this thread is caught, and answered with an error.
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Reads Parquet: its library asserts, deep in its decoders, what a damaged file need not fulfil.
///
/// The usual damages are found before; this is for what is left. The file and all that was read of
/// it are given up then, so that no half-made state is seen. What was caught is not printed: the
/// error says it.
pub(crate) fn guarded<T, E: From<FileError>>(
    path: &Path,
    read: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    caught(read).unwrap_or_else(|| {
        let problem = "it is damaged, and no Parquet".to_owned();
        Err(FileError::Parquet { path: path.to_owned(), problem }.into())
    })
}

/// What a library makes of foreign bytes; nothing where it panics, of which nothing is printed.
pub(crate) fn caught<T>(read: impl FnOnce() -> T) -> Option<T> {
    keep_quiet_while_guarded();
    let before = IS_GUARDED.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(read));
    IS_GUARDED.set(before);
    outcome.ok()
}

/// Puts a hook before the process's own, once, that says nothing of panics that are caught here.
fn keep_quiet_while_guarded() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = take_hook();
        set_hook(Box::new(move |panic| {
            if !IS_GUARDED.get() {
                others(panic);
            }
        }));
    });
}
