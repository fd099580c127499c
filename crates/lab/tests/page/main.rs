//! Pages of studies and of runs, as whoever calls this crate gets them.

mod fixture;
mod pages;
mod run;
mod summary;
