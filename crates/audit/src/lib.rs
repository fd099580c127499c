//! What files prove about the weight decay of a training.
//!
//! The way of the data: bytes → a reader that never executes anything ([`file`](mod@file)) → what
//! is there ([`checkpoint`], [`dialect`]) → which tensor is which ([`names`]) → findings
//! ([`rules`]) and estimates ([`estimate`]) → [`Audit`], a plain value with a page, JSON and SARIF.
//!
//! | module | what |
//! |---|---|
//! | [`file`](mod@file) | formats: torch's zip and legacy stream, pickles, safetensors, sharded checkpoints |
//! | [`tensor`] | a tensor that lies in a file, read where it lies |
//! | [`checkpoint`] | what a file or folder holds: weights, optimizer states, clocks; who wrote it |
//! | [`dialect`] | what a configuration declares, read as its trainer reads it |
//! | [`names`] | which parameter of an optimizer is which tensor, and how that is known |
//! | [`convention`] | which tensors the well-known trainers would decay |
//! | [`measure`] | norms and other sums over tensors, at the speed of memory |
//! | [`estimate`] | λ from what the files hold, with its interval, or why it cannot be told |
//! | [`rules`] | what may be wrong, a file a rule |
//! | [`summary`] | what one checkpoint holds, for people |
//! | [`output`] | SARIF, GitHub's annotations, a baseline of known findings |

mod audit;
pub mod bytes;
pub mod case;
pub mod checkpoint;
pub mod convention;
pub mod dialect;
mod error;
pub mod estimate;
pub mod file;
pub mod finding;
pub mod limits;
pub mod measure;
pub mod names;
mod order;
pub mod output;
mod page;
pub mod rules;
pub mod summary;
pub mod tensor;

pub use audit::{AsideFinding, Audit, Request, SCHEMA, SetAside};
pub use error::{AuditError, Fault};
