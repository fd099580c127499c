//! The commands, one a file: its arguments, its help, and what it does with the crates.

pub(crate) mod advise;
pub(crate) mod audit;
pub(crate) mod bench;
pub(crate) mod completions;
pub(crate) mod convert;
pub(crate) mod data;
pub(crate) mod evaluate;
pub(crate) mod evidence;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod metrics;
pub(crate) mod plan;
pub(crate) mod predict;
pub(crate) mod report;
pub(crate) mod reproduce;
pub(crate) mod sample;
#[cfg(feature = "serve")]
pub(crate) mod serve;
pub(crate) mod study;
pub(crate) mod sweep;
mod table_reading;
#[cfg(feature = "serve")]
pub(crate) mod top;
pub(crate) mod train;
pub(crate) mod trainer_config;
