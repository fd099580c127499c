//! Figures and their colours, as whoever calls this crate gets them.

mod colours;
mod figures;
