//! Figures, pages and summaries, as whoever calls this crate gets them.

mod advice;
mod colours;
mod evidence;
mod explanation;
mod figures;
mod fixture;
mod pages;
mod run;
mod summary;
