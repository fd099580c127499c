//! Hyperball's step of one tensor: its direction first, whole, because its norm decides the step;
//! then the step, brought back to the sphere.
//!
//! With α = ηR/‖u‖, R·Norm(w − αu) = k(w − αu), where k = R/‖w − αu‖ and
//!
//! ‖w − αu‖² = ‖w‖² − 2α⟨w, u⟩ + α²‖u‖².
//!
//! So three sums over w and u give both α and k, and the step is an ordinary one, w ← (1 − s)w −
//! βu, with s = 1 − k and β = kα: the fused pass takes it, and measures it as any other.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use crate::chunks::{Arenas, Chunk, over_chunks};
use crate::direction::{Direction, Plain};
use crate::moves::Mover;
use crate::pass::{BLOCK, Slices, Sums, part_mut};
use crate::state::State;

/// A tensor whose norm is held, and whose direction is a matter of single coordinates.
pub(crate) struct Held {
    pub(crate) tensor: usize,
    /// First element in the arena of the second state.
    pub(crate) second_start: usize,
    pub(crate) range: Range<usize>,
    pub(crate) chunks: Vec<Chunk>,
}

impl Held {
    /// Takes up the gradients into the state, and leaves u in `direction`; the sums of the chunks
    /// hold Σ g².
    ///
    /// The fused pass does it: its move of this tensor carries whatever `direction` held to u.
    pub(crate) fn direct<D: Direction>(
        &self,
        kernel: D,
        gradients: &[f32],
        state: &mut State,
        direction: &mut [f32],
        chunk_sums: &mut [Sums],
        mover: &Mover<'_>,
    ) {
        let second = self.second_start..self.second_start + self.range.len();
        let slices = Slices {
            weights: &mut direction[..self.range.len()],
            gradients: &gradients[self.range.clone()],
            first: part_mut(&mut state.first, self.range.clone()),
            second: part_mut(&mut state.second, second),
            anchor: &[],
        };
        let arenas = Arenas { slices, origin: self.range.start, second_origin: self.second_start };
        mover.run(kernel, &self.chunks, arenas, chunk_sums);
    }
}

/// A tensor, its weights, u and the radius of its sphere.
pub(crate) struct OnSphere<'a> {
    pub(crate) tensor: usize,
    pub(crate) chunks: &'a [Chunk],
    /// First element in the arenas that the chunks count in.
    pub(crate) origin: usize,
    pub(crate) weights: &'a mut [f32],
    pub(crate) direction: &'a [f32],
    pub(crate) radius: f64,
}

impl OnSphere<'_> {
    /// Moves the weights along u, and leaves in `chunk_sums` what was measured.
    pub(crate) fn displace(&mut self, mover: &mut Mover<'_>, chunk_sums: &mut [Sums]) {
        let arch = mover.arch;
        over_chunks(
            self.chunks,
            arenas(self.origin, self.weights, self.direction),
            chunk_sums,
            &|_, slices| {
                arch.dispatch(Products { weights: slices.weights, direction: slices.gradients })
            },
        );
        let mut sums = Sums::default();
        chunk_sums[..self.chunks.len()].iter().for_each(|chunk| sums += *chunk);
        mover.moves[self.tensor] = mover.moves[self.tensor].on_sphere(self.radius, &sums);
        mover.run(
            Plain,
            self.chunks,
            arenas(self.origin, self.weights, self.direction),
            chunk_sums,
        );
    }
}

fn arenas<'a>(origin: usize, weights: &'a mut [f32], direction: &'a [f32]) -> Arenas<'a> {
    Arenas {
        slices: Slices {
            weights,
            gradients: direction,
            first: &mut [],
            second: &mut [],
            anchor: &[],
        },
        origin,
        second_origin: 0,
    }
}

/// Σ w², Σ w·u and Σ u² of a chunk.
struct Products<'a> {
    weights: &'a [f32],
    direction: &'a [f32],
}

impl WithSimd for Products<'_> {
    type Output = Sums;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Sums {
        let mut total = Sums::default();
        let blocks = self.weights.chunks(BLOCK).zip(self.direction.chunks(BLOCK));
        for (weights, direction) in blocks {
            let (weights, weights_rest) = S::as_simd_f32s(weights);
            let (direction, direction_rest) = S::as_simd_f32s(direction);
            let mut sums = [simd.splat_f32s(0.0); 3];
            for (&weight, &direction) in weights.iter().zip(direction) {
                accumulate(simd, &mut sums, weight, direction);
            }
            if !weights_rest.is_empty() {
                let weight = simd.partial_load_f32s(weights_rest);
                accumulate(simd, &mut sums, weight, simd.partial_load_f32s(direction_rest));
            }
            // One by one, for the reason that the fused pass gives.
            let [weight, product, direction] = sums;
            total += Sums {
                weight: f64::from(simd.reduce_sum_f32s(weight)),
                product: f64::from(simd.reduce_sum_f32s(product)),
                direction: f64::from(simd.reduce_sum_f32s(direction)),
                ..Sums::default()
            };
        }
        total
    }
}

#[inline(always)]
fn accumulate<S: Simd>(simd: S, sums: &mut [S::f32s; 3], weight: S::f32s, direction: S::f32s) {
    sums[0] = simd.mul_add_e_f32s(weight, weight, sums[0]);
    sums[1] = simd.mul_add_e_f32s(weight, direction, sums[1]);
    sums[2] = simd.mul_add_e_f32s(direction, direction, sums[2]);
}
