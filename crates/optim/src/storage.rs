//! Weights stored in bf16, emulated exactly: after each step every weight is a number that bf16 has.
//!
//! Moments, gradients and all arithmetic stay in f32.

use wd_decay::Storage;

use crate::chunks::{Arenas, Chunk, over_chunks};
use crate::moves::TensorMove;
use crate::pass::{Slices, Sums};

/// Bits of an f32 that a bf16 lacks.
const LOST: u32 = 0xffff;

/// The nearest number of bf16, ties to even: what `Tensor.bfloat16()` gives. What is not finite
/// stays as it is; what is too large becomes infinite.
pub(crate) fn nearest(number: f32) -> f32 {
    if !number.is_finite() {
        return number;
    }
    let bits = number.to_bits();
    // Half of the last kept bit, less one where the kept part is even: a tie goes down then.
    let half = 0x7fff + ((bits >> 16) & 1);
    f32::from_bits((bits + half) & !LOST)
}

/// One of the two nearest numbers of bf16, with a probability that keeps the mean; `random` is
/// uniform on 0 … 2¹⁶ − 1.
fn stochastic(number: f32, random: u32) -> f32 {
    if !number.is_finite() {
        return number;
    }
    f32::from_bits((number.to_bits() + (random & LOST)) & !LOST)
}

/// Random bits for each element of each step, which depend on the seed, the step and the element
/// alone: a run that is resumed, on any number of threads, rounds as it would have.
#[derive(Debug, Clone, Copy)]
struct Random {
    key: u64,
}

impl Random {
    fn new(seed: u64, step: u64) -> Self {
        Random { key: mixed(mixed(seed) ^ step) }
    }

    fn at(self, element: u64) -> u32 {
        (mixed(self.key.wrapping_add(element.wrapping_mul(GOLDEN))) >> 48) as u32
    }
}

/// 2⁶⁴ over the golden ratio, odd: its multiples are spread evenly.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of SplitMix64 (Steele, Lea & Flood 2014).
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(GOLDEN);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Rounds weights to the nearest numbers of bf16: those that a run starts with.
pub fn round_to_bf16(weights: &mut [f32]) {
    for weight in weights {
        *weight = nearest(*weight);
    }
}

/// The rounding of one optimizer.
pub(crate) struct Rounding {
    pub(crate) storage: Storage,
    seed: u64,
    /// The weights before the step, by which it is measured.
    before: Vec<f32>,
}

impl Rounding {
    pub(crate) fn new(storage: Storage, seed: u64, parameters: usize) -> Self {
        Rounding { storage, seed, before: vec![0.0; parameters] }
    }

    /// Keeps the weights as they are before the step.
    pub(crate) fn begin(&mut self, weights: &[f32]) {
        self.before.copy_from_slice(weights);
    }

    /// w ← RN(w − s(w − a)) on these chunks, and leaves in `sums` what that took.
    pub(crate) fn decay(
        &self,
        chunks: &[Chunk],
        moves: &[TensorMove],
        (weights, anchor): (&mut [f32], &[f32]),
        sums: &mut [Sums],
    ) {
        let slices =
            Slices { weights, gradients: &self.before, first: &mut [], second: &mut [], anchor };
        let arenas = Arenas { slices, origin: 0, second_origin: 0 };
        over_chunks(chunks, arenas, sums, &|chunk, slices| {
            let step = moves[chunk.tensor].decay;
            let mut decay = 0.0;
            for (at, weight) in slices.weights.iter_mut().enumerate() {
                let decayed = match slices.anchor.get(at) {
                    Some(anchor) => (-step.shrink).mul_add(*weight - anchor, *weight),
                    None => *weight * step.keep,
                };
                let rounded = nearest(decayed);
                decay += f64::from(*weight - rounded).powi(2);
                *weight = rounded;
            }
            Sums { decay, ..Sums::default() }
        });
    }

    /// Rounds the weights of these chunks after step `time`, and leaves in `sums` how far the whole
    /// step moved them.
    pub(crate) fn round(
        &self,
        chunks: &[Chunk],
        weights: &mut [f32],
        time: u64,
        sums: &mut [Sums],
    ) {
        let random = Random::new(self.seed, time);
        let is_stochastic = self.storage == Storage::Bf16Stochastic;
        let slices = Slices {
            weights,
            gradients: &self.before,
            first: &mut [],
            second: &mut [],
            anchor: &[],
        };
        let arenas = Arenas { slices, origin: 0, second_origin: 0 };
        over_chunks(chunks, arenas, sums, &|chunk, slices| {
            let mut sums = Sums::default();
            let pairs = slices.weights.iter_mut().zip(slices.gradients);
            for (at, (weight, before)) in pairs.enumerate() {
                *weight = match is_stochastic {
                    true => stochastic(*weight, random.at((chunk.start + at) as u64)),
                    false => nearest(*weight),
                };
                sums.weight += f64::from(*before).powi(2);
                sums.update += f64::from(*weight - before).powi(2);
            }
            sums
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_go_to_even_and_what_is_not_finite_stays() {
        let above = |bits: u32| f32::from_bits(bits);
        assert_eq!(nearest(above(0x3f80_8000)), above(0x3f80_0000));
        assert_eq!(nearest(above(0x3f81_8000)), above(0x3f82_0000));
        assert_eq!(nearest(above(0x3f80_8001)), above(0x3f81_0000));
        assert_eq!(nearest(f32::MAX), f32::INFINITY);
        assert_eq!(nearest(-f32::MAX), f32::NEG_INFINITY);
        assert!(nearest(f32::NAN).is_nan() && nearest(f32::INFINITY) == f32::INFINITY);
        assert_eq!(nearest(-0.0).to_bits(), (-0.0f32).to_bits());
    }

    #[test]
    fn a_shrink_below_two_to_the_minus_nine_is_lost_and_no_larger_one() {
        let least = 2f32.powi(-9);
        for mantissa in 0..128u32 {
            let weight = f32::from_bits(0x3f80_0000 | (mantissa << 16));
            assert_eq!(nearest(weight * (1.0 - 0.99 * least)), weight, "{weight}");
            // Twice as much takes every weight to another number.
            assert_ne!(nearest(weight * (1.0 - 2.05 * least)), weight, "{weight}");
        }
    }

    #[test]
    fn stochastic_rounding_keeps_the_mean() {
        // A quarter of the way between two numbers of bf16.
        let number = f32::from_bits(0x3f80_4000);
        let (low, high) = (1.0f32, f32::from_bits(0x3f81_0000));
        let random = Random::new(7, 3);
        let count = 100_000;
        let ups = (0..count).filter(|at| stochastic(number, random.at(*at)) == high).count();
        assert!((0..count).all(|at| [low, high].contains(&stochastic(number, random.at(at)))));
        // The standard deviation of the share is 0.0014.
        assert!((ups as f64 / count as f64 - 0.25).abs() < 0.006, "{ups}");
        // A number that bf16 has stays, whatever is drawn.
        assert!((0..1000).all(|at| stochastic(high, random.at(at)) == high));
    }

    #[test]
    fn seed_step_and_element_each_change_what_is_drawn() {
        let draw = |seed, step, at| Random::new(seed, step).at(at);
        let base = draw(1, 2, 3);
        assert_eq!(base, draw(1, 2, 3));
        // Written down once: a run that is resumed with a later version rounds in the same way.
        assert_eq!([draw(0, 1, 0), draw(0, 1, 1), draw(5, 940, 169_727)], WRITTEN);
        assert!([draw(0, 2, 3), draw(1, 3, 3), draw(1, 2, 4)].iter().any(|other| *other != base));
    }

    const WRITTEN: [u32; 3] = [17637, 42808, 6679];
}
