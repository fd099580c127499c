//! An audit for other programs: SARIF, GitHub's annotations, and a baseline of known findings.

mod baseline;
mod fingerprint;
mod github;
mod sarif;

pub use baseline::Baseline;
pub use github::annotations;
pub use sarif::sarif;
