//! Figures, pages and summaries, as whoever calls this crate gets them.

mod colours;
mod evidence;
mod figures;
mod fixture;
mod pages;
mod run;
mod summary;
