//! Corrected decay: the same λ, decaying with η_t² so that late gradients do not grow.
//!
//! In a normalised layer the steady ratio of gradient to weight is √(2λ/η_t), which rises as η_t
//! falls. With λ_t = λ·η_t/η_max, a shrink of (η_t²/η_max)λ, it stays where it was; only layers
//! followed by a normalisation, so not the head. λ itself is to be chosen by another law.
//!
//! Defazio: *Why Gradients Rapidly Increase Near the End of Training*, arXiv 2506.02285 (AdamC,
//! SGDC). Its gains are a few thousandths of loss; they could only be checked in the abstract,
//! which gives none, and are not quoted here.

use wd_decay::DecayRule;

use crate::check::Check;
use crate::{Answer, Interval, Law, PlannedRun};

/// The law.
pub const LAW: Law = Law {
    id: "corrected",
    name: "corrected decay",
    formula: "λ_t = λ·η_t/η_max: shrink (η_t²/η_max)·λ",
    source: "Defazio 2025, arXiv 2506.02285",
    established: "Adam and SGD, layers followed by a normalisation, a learning rate that falls",
    convention: DecayRule::Corrected,
    interval: Interval::None,
    answer,
};

fn answer(run: &PlannedRun) -> Answer {
    let mut check = Check::default();
    check.no_fine_tuning(run).falling(run);
    check.refused().unwrap_or(Answer::Instead {
        what: "keeps λ and multiplies it by η_t/η_max, which stops the late growth of gradients"
            .to_owned(),
        how: "decay.rule=corrected with the λ of another law; not for the head".to_owned(),
    })
}
