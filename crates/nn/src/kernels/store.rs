//! Whether a kernel overwrites its result or adds to it.

/// What a result does to the place it goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    Overwrite,
    Add,
}
