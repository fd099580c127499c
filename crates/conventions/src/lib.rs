//! What λ is in each library: settings as people type them, conversions between libraries, and what
//! follows from one setting.
//!
//! | module | question it answers |
//! |---|---|
//! | [`library`] | what does `weight_decay` mean in each library? |
//! | [`quantity`] | which number do `124M`, `65536tok` or `5ep` mean? |
//! | [`run_declaration`] | which run is declared in words, and do its numbers agree? |
//! | [`setting`] | what is one setting: entry, λ, rates, run? |
//! | `setting_words` | which setting does a person type? |
//! | [`declared_decay`] | which decay is explained, whether it is a library's or a configuration's? |
//! | [`conversion`] | which λ means the same in another library? |
//! | [`prior`] | which Gaussian prior on the weights is this λ, if it is one? |
//! | [`explanation`] | what follows from one setting? |
//! | [`page`] | the explanation as a page and as curves |

pub mod conversion;
pub mod declared_decay;
mod declared_schedule;
mod error;
pub mod explanation;
pub mod library;
pub mod page;
pub mod prior;
pub mod quantity;
pub mod run_declaration;
pub mod setting;
mod setting_words;

pub use conversion::{Conversion, ConversionReport, Fidelity, Target, convert};
pub use declared_decay::{DecayedTensors, DeclaredDecay};
pub use declared_schedule::DeclaredSchedule;
pub use error::ConventionError;
pub use explanation::Explanation;
pub use library::LibraryEntry;
pub use prior::{Prior, PriorUnit};
pub use quantity::Quantity;
pub use run_declaration::RunDeclaration;
pub use setting::Setting;
