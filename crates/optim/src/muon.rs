//! Muon's step of one matrix: momentum, orthogonalisation, then the fused pass with the result as
//! its direction.

use pulp::{Arch, Simd, WithSimd};

use crate::chunks::{Arenas, Chunk, over_chunks};
use crate::direction::Plain;
use crate::moves::Mover;
use crate::newton_schulz::Workspace;
use crate::pass::{BLOCK, Slices, Sums, part};

/// A tensor that Muon orthogonalises.
pub(crate) struct Matrix {
    pub(crate) tensor: usize,
    /// First element in the arenas.
    pub(crate) offset: usize,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) chunks: Vec<Chunk>,
}

impl Matrix {
    pub(crate) fn range(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.rows * self.columns
    }

    /// Takes up the gradients into the momentum, and leaves the direction in the workspace; Σ g²
    /// comes back.
    pub(crate) fn direct(
        &self,
        gradients: &[f32],
        momentums: &mut [f32],
        workspace: &mut Workspace,
        chunk_sums: &mut [Sums],
        settings: MuonSettings,
        arch: Arch,
    ) -> f64 {
        let slices = Slices {
            weights: workspace.matrix(self.rows, self.columns),
            gradients: &gradients[self.range()],
            first: &mut momentums[self.range()],
            second: &mut [],
            anchor: &[],
        };
        let arenas = Arenas { slices, origin: self.offset, second_origin: 0 };
        over_chunks(&self.chunks, arenas, chunk_sums, &|_, slices| {
            arch.dispatch(MuonMomentum { slices, settings })
        });
        let mut sums = Sums::default();
        chunk_sums[..self.chunks.len()].iter().for_each(|chunk| sums += *chunk);
        let norm = sums.direction.sqrt();
        workspace.orthogonalize(self.rows, self.columns, norm, settings.newton_schulz_steps);
        sums.gradient
    }

    /// Moves the weights by the direction in the workspace.
    pub(crate) fn displace(
        &self,
        parameters: &mut [f32],
        anchor: &[f32],
        workspace: &mut Workspace,
        chunk_sums: &mut [Sums],
        mover: &Mover<'_>,
    ) {
        let slices = Slices {
            weights: &mut parameters[self.range()],
            gradients: workspace.matrix(self.rows, self.columns),
            first: &mut [],
            second: &mut [],
            anchor: part(anchor, self.range()),
        };
        let arenas = Arenas { slices, origin: self.offset, second_origin: 0 };
        mover.run(Plain, &self.chunks, arenas, chunk_sums);
    }
}

/// The numbers of Muon's direction.
#[derive(Clone, Copy)]
pub(crate) struct MuonSettings {
    pub(crate) momentum: f64,
    pub(crate) nesterov: bool,
    pub(crate) newton_schulz_steps: usize,
    /// What gradients are multiplied by.
    pub(crate) clip: f32,
}

/// m ← m + (1 − μ)(g − m), and the matrix to orthogonalise: m, or g + μ(m − g) with Nesterov.
///
/// Takes the matrix in the place of the weights and m in that of the first state. Of the sums it
/// gives `gradient`, and in `direction` the squared norm of the matrix.
struct MuonMomentum<'a> {
    slices: Slices<'a>,
    settings: MuonSettings,
}

impl WithSimd for MuonMomentum<'_> {
    type Output = Sums;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Sums {
        let Slices { weights: matrix, gradients, first, .. } = self.slices;
        let blend = Blend::<S> {
            clip: simd.splat_f32s(self.settings.clip),
            intake: simd.splat_f32s((1.0 - self.settings.momentum) as f32),
            back: simd.splat_f32s((self.settings.momentum - 1.0) as f32),
            nesterov: self.settings.nesterov,
        };
        let mut total = Sums::default();
        let blocks =
            matrix.chunks_mut(BLOCK).zip(gradients.chunks(BLOCK)).zip(first.chunks_mut(BLOCK));
        for ((matrix, gradients), first) in blocks {
            let (matrix, matrix_rest) = S::as_mut_simd_f32s(matrix);
            let (gradients, gradients_rest) = S::as_simd_f32s(gradients);
            let (first, first_rest) = S::as_mut_simd_f32s(first);
            let mut sums = [simd.splat_f32s(0.0); 2];
            for ((matrix, &gradient), first) in matrix.iter_mut().zip(gradients).zip(first) {
                (*first, *matrix) = blend.step(simd, gradient, *first, &mut sums);
            }
            if !matrix_rest.is_empty() {
                let gradient = simd.partial_load_f32s(gradients_rest);
                let (first, matrix) =
                    blend.step(simd, gradient, simd.partial_load_f32s(first_rest), &mut sums);
                simd.partial_store_f32s(first_rest, first);
                simd.partial_store_f32s(matrix_rest, matrix);
            }
            let [gradient, direction] = sums.map(|sum| f64::from(simd.reduce_sum_f32s(sum)));
            total += Sums { gradient, direction, ..Sums::default() };
        }
        total
    }
}

struct Blend<S: Simd> {
    clip: S::f32s,
    intake: S::f32s,
    back: S::f32s,
    nesterov: bool,
}

impl<S: Simd> Blend<S> {
    /// The new momentum and the matrix; adds the squares of the gradient and the matrix to the
    /// sums.
    #[inline(always)]
    fn step(
        &self,
        simd: S,
        gradient: S::f32s,
        first: S::f32s,
        sums: &mut [S::f32s; 2],
    ) -> (S::f32s, S::f32s) {
        let clipped = simd.mul_f32s(gradient, self.clip);
        let first = simd.mul_add_e_f32s(self.intake, simd.sub_f32s(clipped, first), first);
        // g + μ(m − g) as m + (μ − 1)(m − g), which PyTorch's lerp takes for its being more
        // accurate when μ > 1/2.
        let ahead = simd.mul_add_e_f32s(self.back, simd.sub_f32s(first, clipped), first);
        let matrix = if self.nesterov { ahead } else { first };
        sums[0] = simd.mul_add_e_f32s(gradient, gradient, sums[0]);
        sums[1] = simd.mul_add_e_f32s(matrix, matrix, sums[1]);
        (first, matrix)
    }
}
