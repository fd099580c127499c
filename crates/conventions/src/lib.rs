//! What λ is in each library: settings as people type them, conversions between libraries, and what
//! follows from one setting.
//!
//! | module | question it answers |
//! |---|---|
//! | [`library`] | what does `weight_decay` mean in each library? |
//! | [`quantity`] | which number do `124M`, `65536tok` or `5ep` mean? |
//! | [`run_declaration`] | which run stands around a λ, and do its numbers agree? |
//! | [`setting`] | what does one typed setting mean: entry, λ, rates, run? |
//! | [`conversion`] | which λ means the same in another library? |
//! | [`prior`] | which Gaussian prior on the weights is this λ, if it is one? |
//! | [`explanation`] | what follows from one setting? |
//! | [`page`] | the same as a page and as curves |

pub mod conversion;
mod declared_schedule;
mod error;
pub mod explanation;
pub mod library;
pub mod page;
pub mod prior;
pub mod quantity;
pub mod run_declaration;
pub mod setting;

pub use conversion::{Conversion, Fidelity, Target, convert};
pub use declared_schedule::DeclaredSchedule;
pub use error::ConventionError;
pub use explanation::{Explanation, Subject};
pub use library::LibraryEntry;
pub use prior::{Prior, PriorUnit};
pub use quantity::Quantity;
pub use run_declaration::RunDeclaration;
pub use setting::Setting;
