//! qᵀ(T + λ)⁻¹q and qᵀa of several vectors q side by side, in O(p) each.
//!
//! With LDLᵀ = T + λ and Lv = q, v_j = q_j − l_j v_{j−1} and qᵀ(T + λ)⁻¹q = Σ v_j²/d_j.

use faer::Mat;
use pulp::{Simd, WithSimd};

use super::tridiagonal::Factor;

/// Vectors that go through the recurrence side by side.
pub(super) const LANES: usize = 32;

/// SIMD registers of a group: four hide the latency of a fused multiply-add (4 cycles on x86-64).
const GROUP: usize = 4;

/// Some columns of a matrix, transposed: `values[j]` holds element j of each.
pub(super) struct Tile {
    values: Vec<[f64; LANES]>,
}

/// One step of the recurrence: l_j, 1/d_j and a_j.
struct Step {
    multiplier: f64,
    inverse: f64,
    solution: f64,
}

/// T + λ for one λ, and the vector a.
pub(super) struct Recurrence {
    steps: Vec<Step>,
}

/// What the recurrence gives for each vector.
pub(super) struct Forms {
    /// qᵀ(T + λ)⁻¹q.
    pub(super) quadratic: [f64; LANES],
    /// qᵀa.
    pub(super) along: [f64; LANES],
}

impl Tile {
    /// `count` columns from `first` on; what is missing up to [`LANES`] is 0.
    pub(super) fn of(columns: &Mat<f64>, first: usize, count: usize) -> Tile {
        let mut values = vec![[0.0; LANES]; columns.nrows()];
        for lane in 0..count {
            for (row, value) in values.iter_mut().zip(columns.col_as_slice(first + lane)) {
                row[lane] = *value;
            }
        }
        Tile { values }
    }
}

impl Recurrence {
    pub(super) fn new(factor: &Factor, solution: &[f64]) -> Recurrence {
        let multipliers = std::iter::once(0.0).chain(factor.multipliers.iter().copied());
        let steps =
            multipliers.zip(&factor.pivots).zip(solution).map(|((multiplier, pivot), solution)| {
                Step { multiplier, inverse: 1.0 / pivot, solution: *solution }
            });
        Recurrence { steps: steps.collect() }
    }

    pub(super) fn forms(&self, tile: &Tile) -> Forms {
        pulp::Arch::new().dispatch(Pass { steps: &self.steps, values: &tile.values })
    }
}

/// One run through the recurrence, compiled for each instruction set.
struct Pass<'a> {
    steps: &'a [Step],
    values: &'a [[f64; LANES]],
}

impl WithSimd for Pass<'_> {
    type Output = Forms;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Forms {
        let mut forms = Forms { quadratic: [0.0; LANES], along: [0.0; LANES] };
        let zero = simd.splat_f64s(0.0);
        let (quadratic, _) = S::as_mut_simd_f64s(&mut forms.quadratic);
        let (along, _) = S::as_mut_simd_f64s(&mut forms.along);
        for group in (0..quadratic.len()).step_by(GROUP) {
            let width = GROUP.min(quadratic.len() - group);
            // In registers, of which a narrow group leaves some idle.
            let mut before = [zero; GROUP];
            let mut square = [zero; GROUP];
            let mut fitted = [zero; GROUP];
            for (step, values) in self.steps.iter().zip(self.values) {
                let (values, _) = S::as_simd_f64s(values);
                let multiplier = simd.splat_f64s(step.multiplier);
                let inverse = simd.splat_f64s(step.inverse);
                let solution = simd.splat_f64s(step.solution);
                let values = &values[group..group + width];
                for (i, &value) in values.iter().enumerate() {
                    let next = simd.negate_mul_add_e_f64s(multiplier, before[i], value);
                    square[i] = simd.mul_add_e_f64s(simd.mul_f64s(next, next), inverse, square[i]);
                    fitted[i] = simd.mul_add_e_f64s(value, solution, fitted[i]);
                    before[i] = next;
                }
            }
            quadratic[group..group + width].copy_from_slice(&square[..width]);
            along[group..group + width].copy_from_slice(&fitted[..width]);
        }
        forms
    }
}

#[cfg(test)]
mod tests {
    use super::super::tridiagonal::Tridiagonal;
    use super::*;

    #[test]
    fn equals_solving_for_each_vector() {
        let p = 9;
        let matrix =
            Mat::from_fn(
                p,
                p,
                |i, j| {
                    if i == j { 4.0 } else { 1.0 / (1.0 + i.abs_diff(j) as f64) }
                },
            );
        let reduced = Tridiagonal::of(matrix);
        let columns = Mat::from_fn(p, 5, |i, j| ((3 * i + 7 * j) as f64).sin());
        let solution: Vec<f64> = (0..p).map(|i| (i as f64).cos()).collect();
        let factor = reduced.factor(0.3);
        let forms = Recurrence::new(&factor, &solution).forms(&Tile::of(&columns, 1, 4));
        for lane in 0..4 {
            let vector = columns.col_as_slice(1 + lane);
            let mut solved = vector.to_vec();
            factor.solve(&mut solved);
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            assert!((forms.quadratic[lane] - dot(vector, &solved)).abs() < 1e-14);
            assert!((forms.along[lane] - dot(vector, &solution)).abs() < 1e-14);
        }
        assert_eq!((forms.quadratic[4], forms.along[31]), (0.0, 0.0));
    }
}
