//! The crate from outside: identities, other implementations' values, refits, and data that break
//! careless programs.

mod difficult;
mod fit;
mod glm;
mod golden;
mod groups;
mod identities;
mod left_out;
mod page;
mod sparse;
mod support;
mod tables;
