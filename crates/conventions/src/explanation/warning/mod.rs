//! What is likely to be otherwise than the person who typed λ thinks.
//!
//! | file | question it answers |
//! |---|---|
//! | `kind` | which warnings are there? |
//! | `thresholds` | from where on is something worth a warning? |
//! | `detect` | which warnings does a decay call for? |
//! | `words` | what is the matter, and what to do about it? |

mod detect;
mod kind;
mod thresholds;
mod words;

pub use kind::Warning;
