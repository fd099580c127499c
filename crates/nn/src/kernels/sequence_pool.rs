//! One row for a whole sequence: its first, or the mean of all.

use serde::{Deserialize, Serialize};

use super::sum;
use crate::Float;

/// Which of a ViT's rows the head reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pool {
    /// The class token's, a learned row before the patches (Dosovitskiy et al., 2010.11929).
    #[default]
    Token,
    /// The mean over the normalised patches, without a class token: timm's `class_token=False,
    /// global_pool="avg", fc_norm=False`.
    Mean,
}

/// y `[sequences, width]` ← the pooled rows of x `[sequences·context, width]`.
pub(crate) fn forward<F: Float>(pool: Pool, x: &[F], y: &mut [F], width: usize) {
    let sequence_len = x.len() / y.len() * width;
    for (sequence, pooled) in x.chunks_exact(sequence_len).zip(y.chunks_exact_mut(width)) {
        pooled.copy_from_slice(&sequence[..width]);
        if pool == Pool::Mean {
            for row in sequence[width..].chunks_exact(width) {
                sum::add(pooled, row);
            }
            let reciprocal = F::from_f64(width as f64 / sequence_len as f64);
            pooled.iter_mut().for_each(|value| *value *= reciprocal);
        }
    }
}

/// dx ← the gradient of every row.
pub(crate) fn backward<F: Float>(pool: Pool, dy: &[F], dx: &mut [F], width: usize) {
    let sequence_len = dx.len() / dy.len() * width;
    let reciprocal = F::from_f64(width as f64 / sequence_len as f64);
    for (pooled, sequence) in dy.chunks_exact(width).zip(dx.chunks_exact_mut(sequence_len)) {
        match pool {
            Pool::Token => {
                sequence[..width].copy_from_slice(pooled);
                sequence[width..].fill(F::from_f64(0.0));
            }
            Pool::Mean => {
                for row in sequence.chunks_exact_mut(width) {
                    for (value, pooled) in row.iter_mut().zip(pooled) {
                        *value = *pooled * reciprocal;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::finite_difference::{assert_gradient, dot, normals};

    #[test]
    fn backward_is_the_gradient() {
        let (sequences, context, width) = (3, 4, 5);
        let (x, dy) = (normals(1, sequences * context * width), normals(2, sequences * width));
        for pool in [Pool::Token, Pool::Mean] {
            let run = |x: &[f64]| {
                let mut y = vec![f64::NAN; sequences * width];
                forward(pool, x, &mut y, width);
                y
            };
            let mut dx = vec![f64::NAN; x.len()];
            backward(pool, &dy, &mut dx, width);
            assert_gradient("input", &x, &dx, |x| dot(&run(x), &dy));
            let y = run(&x);
            for (index, pooled) in y.iter().enumerate() {
                let of = |row: usize| x[(index / width * context + row) * width + index % width];
                let expected = match pool {
                    Pool::Token => of(0),
                    Pool::Mean => (0..context).map(of).sum::<f64>() / context as f64,
                };
                assert!((pooled - expected).abs() < 1e-15);
            }
        }
    }
}
