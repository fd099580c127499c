//! The post's formulas, each beside what it should be.

use serde::Serialize;

/// A slip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Erratum {
    /// What the post writes.
    pub written: &'static str,
    /// What it should be.
    pub right: &'static str,
    /// Why.
    pub reason: &'static str,
    /// The claim that it belongs to.
    pub claim: u32,
}

/// Every slip, in the order of the post.
pub const ERRATA: [Erratum; 8] = [
    Erratum {
        written: "(λ/2)‖θ‖",
        right: "(λ/2)‖θ‖²",
        reason: "The penalty has the square of the norm: its gradient is λθ, and that is the \
                 decay.",
        claim: 1,
    },
    Erratum {
        written: "(1/n) Σ_{i=0..n}",
        right: "(1/n) Σ_{i=1..n}",
        reason: "From 0 to n there are n + 1 terms.",
        claim: 1,
    },
    Erratum {
        written: "p(θ) ∝ exp(−‖θ‖/2σ²)",
        right: "p(θ) ∝ exp(−‖θ‖²/2σ²)",
        reason: "Without the square it is no Gaussian.",
        claim: 9,
    },
    Erratum {
        written: "λ = 1/σ²",
        right: "λ = 1/σ² for a sum of losses, λ = 1/(nσ²) for their mean",
        reason: "The post's own loss is a mean over n, so that its λ is n times smaller.",
        claim: 10,
    },
    Erratum {
        written: "p(D) is a constant",
        right: "p(D | λ) depends on λ",
        reason: "It drops out of the best θ for a given λ, and is what chooses λ (the evidence).",
        claim: 8,
    },
    Erratum {
        written: "weight decay = a Gaussian prior",
        right: "coupled L2 under (unclipped) SGD = a Gaussian prior",
        reason: "AdamW's decay stands beside a gradient that is divided by its size: no σ belongs \
                 to it.",
        claim: 11,
    },
    Erratum {
        written: "λ keeps the gradient large",
        right: "λ keeps the effective learning rate η/‖w‖ large",
        reason: "Adam divides the size of the gradient out; the gradient grows as a consequence.",
        claim: 23,
    },
    Erratum {
        written: "λ = 1e-4 (CNN), 0.05 (ViT), 0.1 (LLM)",
        right: "the shrink of a step: ηλ/(1 − μ) under SGD, ηλ under AdamW",
        reason: "λ has the unit of its optimizer; only what a step takes off can be compared.",
        claim: 3,
    },
];
