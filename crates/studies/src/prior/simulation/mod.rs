//! What a Gaussian prior does, shown by repetition: the parts of `wd reproduce prior` that are
//! mathematics.
//!
//! | file | question it answers |
//! |---|---|
//! | `table` | which rows are learnt from, which are fresh, which are shifted? |
//! | `population` | where do the data come from: a real table, the model itself, or something the model is wrong about? |
//! | `trial` | λ by each rule from one small sample, and the error it makes on other rows |
//! | `penalized` | the minimum of ½‖ỹ − X̃w‖² + (λ/2)‖w‖² by two independent ways |
//! | `recovery` | does the evidence find the σ that the weights were drawn with? |
//! | `random` | numbers that a seed fixes |
//!
//! Every function here is deterministic in its seed. Statistics over draws are left to the caller.

mod penalized;
mod population;
mod random;
mod recovery;
mod table;
mod trial;

pub use penalized::{Descent, Penalized};
pub use population::{Noise, Population, Synthetic, Weights};
pub use recovery::{Recovered, recover};
pub use table::Table;
pub use trial::{Rule, Trial, curve, repeat, trial};
