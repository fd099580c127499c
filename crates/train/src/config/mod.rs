//! A run as a person writes it: the raw form of `config.toml`.
//!
//! | file | question it answers |
//! |---|---|
//! | `sections`, `optim`, `decay`, `model` | what may a person write? |
//! | `source` | what did they write, and where? |
//! | `foreign` | does it belong to this kind of model? |
//! | `fault` | what is wrong with it, and how is it mended? |
//! | `reference` | every key with its default |
//!
//! Unknown keys are refused; numbers are checked later, when the [`RunPlan`](crate::RunPlan) is
//! made, because most of them only make sense together with the data.

mod decay;
pub(crate) mod fault;
mod foreign;
mod model;
mod optim;
mod reference;
mod sections;
mod source;

pub use decay::DecaySection;
pub use fault::{ConfigError, ConfigFault};
pub use model::{ModelConfig, ModelKind, ModelSection};
pub(crate) use model::{on_images, on_text};
pub use optim::{Length, OptimSection, ScheduleSection};
pub use reference::KEYS;
pub use sections::{CorruptedSection, DataSection, RunConfig, RunSection, Shifted};
pub use source::ConfigSource;
