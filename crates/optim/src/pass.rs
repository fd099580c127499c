//! The fused pass over one chunk: direction, decay and update of every coordinate, and the sums
//! that measure them.

use std::ops::{AddAssign, Range};

use pulp::{Simd, WithSimd};

use crate::decay::Decay;
use crate::direction::{Directed, Direction};

/// Elements whose squares are added in `f32` lanes before the lanes are added up in `f64`.
///
/// 1024 keeps a lane's sum of 64 (AVX-512) or 128 (AVX2) terms accurate to about 1e-6, at a cost
/// that does not show.
pub(crate) const BLOCK: usize = 1024;

/// What a pass measures, summed over coordinates.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Sums {
    /// Σ w², before the step.
    pub(crate) weight: f64,
    /// Σ g², before clipping and without the decay.
    pub(crate) gradient: f64,
    /// Σ (Δw)², decay included, as it came out in `f32`.
    pub(crate) update: f64,
    /// Σ w·u, with u up to a positive factor.
    pub(crate) product: f64,
    /// Σ u², up to the square of that factor.
    pub(crate) direction: f64,
    /// Σ of the square of what the decay took from the weights, or under coupled L2 of w − a.
    pub(crate) decay: f64,
}

impl AddAssign for Sums {
    fn add_assign(&mut self, other: Sums) {
        self.weight += other.weight;
        self.gradient += other.gradient;
        self.update += other.update;
        self.product += other.product;
        self.direction += other.direction;
        self.decay += other.decay;
    }
}

/// One chunk's part of every arena; an arena that is not in use is empty.
pub(crate) struct Slices<'a> {
    pub(crate) weights: &'a mut [f32],
    pub(crate) gradients: &'a [f32],
    pub(crate) first: &'a mut [f32],
    pub(crate) second: &'a mut [f32],
    pub(crate) anchor: &'a [f32],
}

/// The part of an arena, or nothing of an arena that is not in use.
#[inline(always)]
pub(crate) fn part(arena: &[f32], range: Range<usize>) -> &[f32] {
    if arena.is_empty() { arena } else { &arena[range] }
}

/// The same of an arena that may be changed.
#[inline(always)]
pub(crate) fn part_mut(arena: &mut [f32], range: Range<usize>) -> &mut [f32] {
    if arena.is_empty() { arena } else { &mut arena[range] }
}

/// A pass over one chunk of one tensor.
pub(crate) struct Pass<'a, D, K> {
    pub(crate) slices: Slices<'a>,
    pub(crate) direction: D,
    pub(crate) decay: K,
    /// What gradients are multiplied by.
    pub(crate) clip: f32,
    /// What u is multiplied by.
    pub(crate) step_size: f32,
}

/// The lanes of one vector that a pass reads.
struct Lanes<S: Simd> {
    weights: S::f32s,
    gradients: S::f32s,
    first: S::f32s,
    second: S::f32s,
    anchor: S::f32s,
}

/// The lanes of one vector that a pass measures: w, g, Δw, u, decay.
type Terms<S> = [<S as Simd>::f32s; 5];

impl<D: Direction, K: Decay> WithSimd for Pass<'_, D, K> {
    type Output = Sums;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) -> Sums {
        let mut sums = Sums::default();
        let length = self.slices.weights.len();
        for start in (0..length).step_by(BLOCK) {
            sums += self.block(simd, start..length.min(start + BLOCK));
        }
        sums
    }
}

impl<D: Direction, K: Decay> Pass<'_, D, K> {
    #[inline(always)]
    fn block<S: Simd>(&mut self, simd: S, range: Range<usize>) -> Sums {
        let (weights, weights_rest) =
            S::as_mut_simd_f32s(part_mut(self.slices.weights, range.clone()));
        let (gradients, gradients_rest) =
            S::as_simd_f32s(part(self.slices.gradients, range.clone()));
        let (first, first_rest) = S::as_mut_simd_f32s(part_mut(self.slices.first, range.clone()));
        let (second, second_rest) =
            S::as_mut_simd_f32s(part_mut(self.slices.second, range.clone()));
        let (anchor, anchor_rest) = S::as_simd_f32s(part(self.slices.anchor, range));

        // Taking each slice at the same length here lets the compiler drop the bounds checks of the
        // loop.
        let count = weights.len();
        let gradients = &gradients[..count];
        let first = if D::FIRST { &mut first[..count] } else { first };
        let second = if D::SECOND { &mut second[..count] } else { second };
        let anchor = if K::ANCHORED { &anchor[..count] } else { anchor };

        let zero = simd.splat_f32s(0.0);
        let mut sums = [zero; 6];
        for index in 0..count {
            let lanes = Lanes::<S> {
                weights: weights[index],
                gradients: gradients[index],
                first: if D::FIRST { first[index] } else { zero },
                second: if D::SECOND { second[index] } else { zero },
                anchor: if K::ANCHORED { anchor[index] } else { zero },
            };
            let (lanes, terms) =
                update(simd, self.direction, self.decay, self.clip, self.step_size, lanes);
            weights[index] = lanes.weights;
            if D::FIRST {
                first[index] = lanes.first;
            }
            if D::SECOND {
                second[index] = lanes.second;
            }
            accumulate(simd, &mut sums, terms);
        }
        if !weights_rest.is_empty() {
            let lanes = Lanes::<S> {
                weights: simd.partial_load_f32s(weights_rest),
                gradients: simd.partial_load_f32s(gradients_rest),
                first: simd.partial_load_f32s(first_rest),
                second: simd.partial_load_f32s(second_rest),
                anchor: simd.partial_load_f32s(anchor_rest),
            };
            let (lanes, terms) =
                update(simd, self.direction, self.decay, self.clip, self.step_size, lanes);
            // Lanes past the end hold zeros, of which Adam without ε makes 0/0: keep them out of
            // the sums.
            let mask = simd.mask_between_m32s(0, weights_rest.len() as u32).mask();
            accumulate(simd, &mut sums, terms.map(|term| simd.select_f32s(mask, term, zero)));
            simd.partial_store_f32s(weights_rest, lanes.weights);
            if D::FIRST {
                simd.partial_store_f32s(first_rest, lanes.first);
            }
            if D::SECOND {
                simd.partial_store_f32s(second_rest, lanes.second);
            }
        }
        // One by one: `map` over the array is not inlined, and what is not inlined is not compiled
        // for the instruction set. That cost a seventh of the pass.
        let [weight, gradient, update, product, direction, decay] = sums;
        Sums {
            weight: f64::from(simd.reduce_sum_f32s(weight)),
            gradient: f64::from(simd.reduce_sum_f32s(gradient)),
            update: f64::from(simd.reduce_sum_f32s(update)),
            product: f64::from(simd.reduce_sum_f32s(product)),
            direction: f64::from(simd.reduce_sum_f32s(direction)),
            decay: f64::from(simd.reduce_sum_f32s(decay)),
        }
    }
}

/// One step of one vector of coordinates.
#[inline(always)]
fn update<S: Simd, D: Direction, K: Decay>(
    simd: S,
    direction: D,
    decay: K,
    clip: f32,
    step_size: f32,
    lanes: Lanes<S>,
) -> (Lanes<S>, Terms<S>) {
    let Lanes { weights, gradients, first, second, anchor } = lanes;
    let distance = if K::ANCHORED { simd.sub_f32s(weights, anchor) } else { weights };
    let clipped = simd.mul_f32s(gradients, simd.splat_f32s(clip));
    let gradient = decay.penalized(simd, clipped, distance);
    let Directed { numerator, denominator, first, second } =
        direction.of(simd, gradient, first, second);
    let decayed = decay.decayed(simd, weights, distance, numerator);
    let step_size = simd.splat_f32s(step_size);
    let (moved, direction) = match denominator {
        None => (simd.negate_mul_add_e_f32s(step_size, numerator, decayed), numerator),
        Some(denominator) => {
            let step = simd.div_f32s(simd.mul_f32s(step_size, numerator), denominator);
            (simd.sub_f32s(decayed, step), step)
        }
    };
    let decay = if K::COUPLED { distance } else { simd.sub_f32s(weights, decayed) };
    let change = simd.sub_f32s(moved, weights);
    (
        Lanes { weights: moved, gradients, first, second, anchor },
        [weights, gradients, change, direction, decay],
    )
}

#[inline(always)]
fn accumulate<S: Simd>(simd: S, sums: &mut [S::f32s; 6], terms: Terms<S>) {
    let [weight, gradient, update, direction, decay] = terms;
    let factors = [
        (weight, weight),
        (gradient, gradient),
        (update, update),
        (weight, direction),
        (direction, direction),
        (decay, decay),
    ];
    for (sum, (left, right)) in sums.iter_mut().zip(factors) {
        *sum = simd.mul_add_e_f32s(left, right, *sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::AdamParameters;
    use crate::decay::{DecayStep, Decoupled};
    use crate::direction::Adam;

    /// Three steps of cautious AdamW on 1100 weights.
    fn steps(pass: impl Fn(Pass<'_, Adam, Decoupled<false, true>>) -> Sums) -> (Vec<f32>, Sums) {
        let wave = |phase: f32| -> Vec<f32> {
            (0..1100).map(|index| (index as f32 * 1.3 + phase).sin()).collect()
        };
        let (mut weights, mut first, mut second) = (wave(0.0), vec![0.0; 1100], vec![0.0; 1100]);
        let mut sums = Sums::default();
        for time in 1..=3 {
            let slices = Slices {
                weights: &mut weights,
                gradients: &wave(time as f32),
                first: &mut first,
                second: &mut second,
                anchor: &[],
            };
            let direction = Adam::new(AdamParameters::default(), time).0;
            let decay = Decoupled(DecayStep::of(0.01, 1.0));
            sums = pass(Pass { slices, direction, decay, clip: 0.5, step_size: 0.01 });
        }
        (weights, sums)
    }

    #[test]
    fn every_instruction_set_computes_the_same() {
        let (weights, sums) = steps(|pass| Simd::vectorize(pulp::Scalar, pass));
        let near = |left: f64, right: f64| (left - right).abs() <= 1e-5 * right.abs();
        let compare = |other: (Vec<f32>, Sums)| {
            assert!(weights.iter().zip(&other.0).all(|(left, right)| (left - right).abs() < 1e-6));
            assert!(near(sums.weight, other.1.weight) && near(sums.gradient, other.1.gradient));
            assert!(near(sums.update, other.1.update) && near(sums.direction, other.1.direction));
            assert!(
                near(sums.decay, other.1.decay) && (sums.product - other.1.product).abs() < 1e-4
            );
            other.0
        };
        let best = compare(steps(|pass| pulp::Arch::new().dispatch(pass)));
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = pulp::x86::V3::try_new() {
            // With fused multiply-adds on both sides, not one bit of a weight differs.
            assert_eq!(compare(steps(|pass| Simd::vectorize(avx2, pass))), best);
        }
    }
}
