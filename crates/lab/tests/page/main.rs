//! Pages of studies and of runs, as whoever calls this crate gets them.

mod fixture;
mod pages;
#[path = "../planned/mod.rs"]
mod planned;
mod run;
mod summary;
