//! What follows from a setting, and from λ in a linear model: computed anew for every place of a
//! slider.
//!
//! | file | what |
//! |---|---|
//! | `field` | the fields of a form |
//! | `setting` | one setting: what it does, what laws and recipes say, the same elsewhere |
//! | `linear` | a table, and λ over its whole path |

mod field;
pub(crate) mod linear;
pub(crate) mod setting;

pub(crate) use linear::LinearTables;
