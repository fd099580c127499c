//! The library table: what `weight_decay` means in each library that people use.
//!
//! An entry is one optimizer, regularizer or estimator under the name that users type
//! (`torch.AdamW`). Its [`Variant`]s are the meanings that its switches choose between; the first
//! is the default. [`Checked`] says how the meaning was established: by a trajectory of the library
//! itself that our rule follows, or by reading its source.
//!
//! | file | question it answers |
//! |---|---|
//! | `convention` | what does a λ do? |
//! | `key` | what does a key of a library set, and what is it by default? |
//! | `entry` | what does the table say of one entry? |
//! | `table` | which entries are there, and which one does a name mean? |
//! | `page` | the table, and one entry, as pages |

mod convention;
mod entry;
mod key;
pub mod page;
mod table;

pub use convention::{Convention, Likelihood, Penalty};
pub use entry::{Checked, LibraryEntry, Method, Variant};
pub use key::{Key, KeyDefault, KeyMeaning, Values};
pub use table::{entries, find, of_library};
