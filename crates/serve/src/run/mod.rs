//! What the runs of a study show one by one.
//!
//! | file | what |
//! |---|---|
//! | `list` | every run in a table, and a curve of each as small multiples |
//! | `page` | one run: its report, zoomable series, configuration, log |
//! | `series` | a series, thinned so that no spike is lost |
//! | `pyramid` | how: minima and maxima at every scale |
//! | `compare` | how the configurations of two runs differ |

pub(crate) mod compare;
pub(crate) mod list;
pub(crate) mod page;
mod pyramid;
pub(crate) mod series;
