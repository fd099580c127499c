//! [`ConfigSource`] → [`RunPlan`]: every number checked, every default resolved, every tensor's λ
//! chosen, before the first step. There is one way through and no way back.
//!
//! | file | step |
//! |---|---|
//! | `numbers` | checks that need nothing but the number itself |
//! | `memory` | what the run takes at the least, against what the machine has |
//! | `hyperball` | what of `[decay]` has nothing to act on when norms are held |
//! | `optimizer` | which optimizer |
//! | `lambdas` | λ of every tensor and why |
//! | `schedule` | the factors on the learning rate and on λ |
//! | `run_plan` | all of it, in order |
//! | `record` | what `plan.json` says of it |
//! | `page` | the same as a page |
//! | `declaration` | what follows where the data are not there |

mod declaration;
mod hyperball;
mod lambdas;
mod memory;
mod numbers;
mod optimizer;
mod page;
mod rates;
mod record;
mod run_plan;
mod schedule;

pub use declaration::Declaration;
pub use run_plan::RunPlan;
