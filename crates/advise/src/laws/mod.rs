//! Every published law, a file each.
//!
//! | file | law | λ |
//! |---|---|---|
//! | [`normalized_decay`] | Loshchilov & Hutter 2019 | ∝ 1/√S, of `independent` decay |
//! | [`epoch_timescale`] | Wang & Aitchison 2024 | τ between one epoch and all of them |
//! | [`power_lines`] | Bergsma et al. 2025 | τ falls with tokens a parameter |
//! | [`nanochat`] | Karpathy 2026 | ∝ √B/D, of Muon |
//! | [`width_transfer`] | Kosson et al., Fan et al., Qiu et al. 2025 | ∝ width, its root, or kept |
//! | [`data_constrained`] | Kim et al. 2025 | ηλ of a few 1e-3, by parameters |
//! | [`log_time`] | Ferbach et al. 2026 | ω/(t₀ + t) instead of a constant |
//! | [`corrected`] | Defazio 2025 | the same, decaying with η_t² |
//! | [`norm_control`] | Wen et al. 2026; Loshchilov 2023 | none: the norm is set instead |
//!
//! # Symbols
//! | symbol | meaning |
//! |---|---|
//! | λ | weight decay of `torch.optim.AdamW`: w ← w − η_tλw |
//! | η | peak learning rate |
//! | B | data points a step |
//! | D | data points processed, repetitions included |
//! | N | distinct data points |
//! | S | steps, D/B |
//! | P | parameters |
//! | τ | averaging timescale 1/(ηλ), here as a share of the run: 1/(ηλS) |
//! | m | width over the width at which λ was tuned |

pub mod corrected;
pub mod data_constrained;
pub mod epoch_timescale;
pub mod log_time;
pub mod nanochat;
pub mod norm_control;
pub mod normalized_decay;
pub mod power_lines;
pub mod width_transfer;

use crate::Law;

/// Every law, in the order of answers: those that give λ outright, those that transfer it, those
/// that act otherwise.
pub const ALL: [Law; 12] = [
    power_lines::LAW,
    data_constrained::LAW,
    epoch_timescale::LAW,
    normalized_decay::LAW,
    nanochat::LAW,
    width_transfer::INDEPENDENT,
    width_transfer::ROOT,
    width_transfer::COMPUTE_OPTIMAL,
    log_time::LAW,
    corrected::LAW,
    norm_control::HYPERBALL,
    norm_control::TARGET_NORM,
];
