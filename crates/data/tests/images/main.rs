//! Image sets: what is read, what is refused, and that nothing breaks.

mod golden;
mod hostile;
mod layouts;
mod loader;
mod refusals;
mod shipped;
mod subset;
mod support;
