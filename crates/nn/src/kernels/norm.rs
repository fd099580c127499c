//! LayerNorm and RMSNorm, with the residual sum that precedes them in the same pass.
//!
//! x̂ = (x − m)·r, y = x̂·gain + bias, with m the row's mean (0 for RMSNorm) and r = 1/√(mean of (x
//! − m)² + ε). Backward: with a = dy·gain, dx = r·(a − mean(a) − x̂·mean(a·x̂)); without mean(a)
//! for RMSNorm.

use pulp::Simd;

use crate::Float;
use crate::simd::{Group, Vector, dispatched, for_groups};

dispatched! {
    /// sum ← residual + sum + branch_bias (where given), then y ← norm(sum); (m, r) of each row go
    /// to `statistics`.
    pub(crate) fn forward = forward_body(
        sum: &'a mut [F],
        residual: Option<&'a [F]>,
        branch_bias: Option<&'a [F]>,
        gain: &'a [F],
        bias: Option<&'a [F]>,
        centered: bool,
        epsilon: F,
        y: &'a mut [F],
        statistics: &'a mut [F],
    )
}

dispatched! {
    /// dsum ← (dsum if `accumulate` +) norm's backward of dy; gradients of gain, bias and branch
    /// bias (Σ rows of the new dsum) are added to.
    pub(crate) fn backward = backward_body(
        sum: &'a [F],
        statistics: &'a [F],
        gain: &'a [F],
        centered: bool,
        dy: &'a [F],
        dsum: &'a mut [F],
        accumulate: bool,
        gain_gradient: &'a mut [F],
        bias_gradient: Option<&'a mut [F]>,
        branch_bias_gradient: Option<&'a mut [F]>,
    )
}

#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "the body of a kernel takes its operands one by one")]
fn forward_body<F: Float, S: Simd>(
    simd: S,
    sum: &mut [F],
    residual: Option<&[F]>,
    branch_bias: Option<&[F]>,
    gain: &[F],
    bias: Option<&[F]>,
    centered: bool,
    epsilon: F,
    y: &mut [F],
    statistics: &mut [F],
) {
    let columns = gain.len();
    let lanes = Vector::<F, S>::LANES;
    let reciprocal_columns = F::from_f64(1.0 / columns as f64);
    let rows = sum
        .chunks_exact_mut(columns)
        .zip(y.chunks_exact_mut(columns))
        .zip(statistics.chunks_exact_mut(2));
    for (index, ((sum, y), statistics)) in rows.enumerate() {
        let residual = residual.map(|residual| &residual[index * columns..(index + 1) * columns]);
        add_branch(simd, sum, residual, branch_bias);

        let mut mean = F::from_f64(0.0);
        if centered {
            let mut total = Vector::constant(simd, 0.0);
            for_groups!(lanes, columns, |group| {
                total += Vector::load(simd, sum, group);
            });
            mean = total.sum() * reciprocal_columns;
        }
        let variance = sum_of_squares(simd, sum, mean) * reciprocal_columns;
        let reciprocal = F::from_f64(1.0) / (variance + epsilon).root();
        statistics.copy_from_slice(&[mean, reciprocal]);

        let (mean, reciprocal) = (Vector::splat(simd, mean), Vector::splat(simd, reciprocal));
        match bias {
            Some(bias) => for_groups!(lanes, columns, |group| {
                let normalised = (Vector::load(simd, sum, group) - mean) * reciprocal;
                let (gain, bias) =
                    (Vector::load(simd, gain, group), Vector::load(simd, bias, group));
                normalised.mul_add(gain, bias).store(y, group);
            }),
            None => for_groups!(lanes, columns, |group| {
                let normalised = (Vector::load(simd, sum, group) - mean) * reciprocal;
                (normalised * Vector::load(simd, gain, group)).store(y, group);
            }),
        }
    }
}

/// sum += residual + bias, where given.
#[inline(always)]
fn add_branch<F: Float, S: Simd>(
    simd: S,
    sum: &mut [F],
    residual: Option<&[F]>,
    bias: Option<&[F]>,
) {
    let (lanes, columns) = (Vector::<F, S>::LANES, sum.len());
    match (residual, bias) {
        (Some(residual), Some(bias)) => for_groups!(lanes, columns, |group| {
            let branch = Vector::load(simd, sum, group) + Vector::load(simd, bias, group);
            (Vector::load(simd, residual, group) + branch).store(sum, group);
        }),
        (Some(residual), None) => for_groups!(lanes, columns, |group| {
            (Vector::load(simd, residual, group) + Vector::load(simd, sum, group))
                .store(sum, group);
        }),
        (None, _) => {}
    }
}

/// Σ (x − mean)².
#[inline(always)]
fn sum_of_squares<F: Float, S: Simd>(simd: S, row: &[F], mean: F) -> F {
    let (lanes, columns) = (Vector::<F, S>::LANES, row.len());
    let mean_vector = Vector::splat(simd, mean);
    let mut total = Vector::constant(simd, 0.0);
    let mut start = 0;
    while start + lanes <= columns {
        let deviation = Vector::load(simd, row, Group { start, len: lanes }) - mean_vector;
        total = deviation.mul_add(deviation, total);
        start += lanes;
    }
    // The lanes beyond a short group would count as deviations of 0 − mean.
    let rest =
        row[start..].iter().fold(F::from_f64(0.0), |rest, x| rest + (*x - mean) * (*x - mean));
    total.sum() + rest
}

#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "the body of a kernel takes its operands one by one")]
fn backward_body<F: Float, S: Simd>(
    simd: S,
    sum: &[F],
    statistics: &[F],
    gain: &[F],
    centered: bool,
    dy: &[F],
    dsum: &mut [F],
    accumulate: bool,
    gain_gradient: &mut [F],
    mut bias_gradient: Option<&mut [F]>,
    mut branch_bias_gradient: Option<&mut [F]>,
) {
    let columns = gain.len();
    let lanes = Vector::<F, S>::LANES;
    let reciprocal_columns = F::from_f64(1.0 / columns as f64);
    let gain_gradient = &mut gain_gradient[..columns];
    let rows = sum.chunks_exact(columns).zip(statistics.chunks_exact(2));
    let gradients = dy.chunks_exact(columns).zip(dsum.chunks_exact_mut(columns));
    for ((sum, statistics), (dy, dsum)) in rows.zip(gradients) {
        let (mean, reciprocal) =
            (Vector::splat(simd, statistics[0]), Vector::splat(simd, statistics[1]));
        let mut total = Vector::constant(simd, 0.0);
        let mut total_normalised = Vector::constant(simd, 0.0);
        for_groups!(lanes, columns, |group| {
            let normalised = (Vector::load(simd, sum, group) - mean) * reciprocal;
            let dy = Vector::load(simd, dy, group);
            let scaled = dy * Vector::load(simd, gain, group);
            total += scaled;
            total_normalised = scaled.mul_add(normalised, total_normalised);
            dy.mul_add(normalised, Vector::load(simd, gain_gradient, group))
                .store(gain_gradient, group);
        });
        if let Some(bias_gradient) = bias_gradient.as_deref_mut() {
            for_groups!(lanes, columns, |group| {
                (Vector::load(simd, bias_gradient, group) + Vector::load(simd, dy, group))
                    .store(bias_gradient, group);
            });
        }
        let mean_scaled =
            if centered { total.sum() * reciprocal_columns } else { F::from_f64(0.0) };
        let mean_scaled = Vector::splat(simd, mean_scaled);
        let mean_normalised = Vector::splat(simd, total_normalised.sum() * reciprocal_columns);
        let zero = Vector::constant(simd, 0.0);
        for_groups!(lanes, columns, |group| {
            let normalised = (Vector::load(simd, sum, group) - mean) * reciprocal;
            let scaled = Vector::load(simd, dy, group) * Vector::load(simd, gain, group);
            let inner = (zero - normalised).mul_add(mean_normalised, scaled - mean_scaled);
            let before = if accumulate { Vector::load(simd, dsum, group) } else { zero };
            inner.mul_add(reciprocal, before).store(dsum, group);
        });
        if let Some(gradient) = branch_bias_gradient.as_deref_mut() {
            for_groups!(lanes, columns, |group| {
                (Vector::load(simd, gradient, group) + Vector::load(simd, dsum, group))
                    .store(gradient, group);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::finite_difference::{assert_gradient, dot, normals};

    const COLUMNS: usize = 19;
    const ROWS: usize = 3;

    /// Σ over the outputs (norm and stream) times weights, with the stream's mean far from 0 when
    /// it is subtracted.
    struct Case {
        centered: bool,
        dy: Vec<f64>,
        dsum: Vec<f64>,
    }

    impl Case {
        fn forward(&self, inputs: [&[f64]; 5]) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
            let [branch, residual, branch_bias, gain, bias] = inputs;
            let mut sum = branch.to_vec();
            let (mut y, mut statistics) = (vec![f64::NAN; sum.len()], vec![f64::NAN; 2 * ROWS]);
            let (residual, branch_bias, bias) = (Some(residual), Some(branch_bias), Some(bias));
            let centered = self.centered;
            forward(
                &mut sum,
                residual,
                branch_bias,
                gain,
                bias,
                centered,
                1e-3,
                &mut y,
                &mut statistics,
            );
            (sum, y, statistics)
        }

        fn loss(&self, inputs: [&[f64]; 5]) -> f64 {
            let (sum, y, _) = self.forward(inputs);
            dot(&sum, &self.dsum) + dot(&y, &self.dy)
        }
    }

    #[test]
    fn backward_is_the_gradient() {
        for centered in [true, false] {
            let case =
                Case { centered, dy: normals(1, ROWS * COLUMNS), dsum: normals(2, ROWS * COLUMNS) };
            let branch: Vec<f64> =
                normals(3, ROWS * COLUMNS).iter().map(|x| 2.0 * x + 3.0).collect();
            let residual = normals(4, ROWS * COLUMNS);
            let [branch_bias, gain, bias] = [5, 6, 7].map(|seed| normals(seed, COLUMNS));
            let inputs = [&branch[..], &residual, &branch_bias, &gain, &bias];
            let (sum, _, statistics) = case.forward(inputs);
            let mut dsum = case.dsum.clone();
            let [mut dgain, mut dbias, mut dbranch_bias] = [(); 3].map(|()| vec![0.0; COLUMNS]);
            backward(
                &sum,
                &statistics,
                &gain,
                centered,
                &case.dy,
                &mut dsum,
                true,
                &mut dgain,
                Some(&mut dbias),
                Some(&mut dbranch_bias),
            );
            let gradients = [&dsum, &dsum, &dbranch_bias, &dgain, &dbias];
            for (index, (x, gradient)) in inputs.into_iter().zip(gradients).enumerate() {
                assert_gradient(&format!("input {index}, centered {centered}"), x, gradient, |x| {
                    let mut inputs = inputs;
                    inputs[index] = x;
                    case.loss(inputs)
                });
            }
        }
    }

    #[test]
    fn normalises_whatever_the_scale_and_offset() {
        let x: Vec<f32> = normals(1, COLUMNS).iter().map(|x| (1e-3 * x + 1000.0) as f32).collect();
        let (mut sum, mut y, mut statistics) = (x, vec![0.0f32; COLUMNS], vec![0.0f32; 2]);
        let gain = vec![1.0f32; COLUMNS];
        forward(&mut sum, None, None, &gain, None, true, 0.0, &mut y, &mut statistics);
        let square: f32 = y.iter().map(|y| y * y).sum::<f32>() / COLUMNS as f32;
        assert!((square - 1.0).abs() < 1e-3, "{square}");
    }
}
