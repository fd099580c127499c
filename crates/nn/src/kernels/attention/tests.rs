//! Against plain loops and finite differences.

use super::block::{BIDIRECTIONAL_QUERIES, QUERIES};
use super::{AttentionShape, backward, forward};
use crate::Float;
use crate::kernels::dropout::Mask;
use crate::kernels::finite_difference::{assert_gradient, dot, normals};
use crate::random::Stream;

/// Two blocks of queries, the second not full.
const SHAPES: [AttentionShape; 2] = [
    AttentionShape {
        sequences: 2,
        context: QUERIES + 21,
        heads: 2,
        head_width: 5,
        first_sequence: 3,
        causal: true,
    },
    AttentionShape {
        sequences: 2,
        context: BIDIRECTIONAL_QUERIES + 21,
        heads: 2,
        head_width: 5,
        first_sequence: 3,
        causal: false,
    },
];

fn rows(shape: AttentionShape) -> usize {
    shape.sequences * shape.context
}

fn run<F: Float>(qkv: &[F], shape: AttentionShape, mask: Option<Mask>) -> (Vec<F>, Vec<F>) {
    let numbers = |len| vec![F::from_f64(f64::NAN); len];
    let mut scratch = numbers(shape.scratch_len());
    let mut out = numbers(rows(shape) * shape.width());
    let mut log_sums = numbers(rows(shape) * shape.heads);
    forward(qkv, &mut out, &mut log_sums, shape, mask, &mut scratch);
    (out, log_sums)
}

fn gradient<F: Float>(qkv: &[F], dout: &[F], shape: AttentionShape, mask: Option<Mask>) -> Vec<F> {
    let (out, log_sums) = run(qkv, shape, mask);
    let mut scratch = vec![F::from_f64(f64::NAN); shape.scratch_len()];
    let mut dqkv = vec![F::from_f64(f64::NAN); qkv.len()];
    backward(qkv, &out, &log_sums, dout, &mut dqkv, shape, mask, &mut scratch);
    dqkv
}

#[test]
fn equals_plain_sums() {
    for shape in SHAPES {
        let width = shape.width();
        let qkv = normals(1, rows(shape) * 3 * width);
        let (out, _) = run(&qkv, shape, None);
        let at = |row: usize, part: usize, head: usize, column: usize| {
            qkv[row * 3 * width + part * width + head * shape.head_width + column]
        };
        for (row, head) in
            [(0, 0), (1, 1), (QUERIES - 1, 0), (QUERIES + 19, 1), (rows(shape) - 1, 0)]
        {
            let first = row / shape.context * shape.context;
            let last = if shape.causal { row } else { first + shape.context - 1 };
            let score = |key: usize| {
                let products = (0..shape.head_width)
                    .map(|column| at(row, 0, head, column) * at(key, 1, head, column));
                (products.sum::<f64>() / (shape.head_width as f64).sqrt()).exp()
            };
            let total: f64 = (first..=last).map(score).sum();
            for column in 0..shape.head_width {
                let weighted: f64 =
                    (first..=last).map(|key| score(key) * at(key, 2, head, column)).sum();
                let ours = out[row * width + head * shape.head_width + column];
                assert!(
                    (ours - weighted / total).abs() < 1e-12,
                    "row {row}, head {head}, column {column}, {shape:?}"
                );
            }
        }
    }
}

#[test]
fn backward_is_the_gradient_with_and_without_dropout() {
    for shape in SHAPES {
        let size = rows(shape) * shape.width();
        let (qkv, dout) = (normals(1, 3 * size), normals(2, size));
        for mask in [None, Some(Mask::new(Stream::new(4, 4), 0.3))] {
            let dqkv = gradient(&qkv, &dout, shape, mask);
            assert_gradient("qkv", &qkv, &dqkv, |qkv| dot(&run(qkv, shape, mask).0, &dout));
        }
    }
}

#[test]
fn scores_that_would_overflow_an_exponential_are_fine() {
    for shape in SHAPES {
        let qkv: Vec<f32> = normals(1, rows(shape) * 3 * shape.width())
            .iter()
            .map(|x| (100.0 * x) as f32)
            .collect();
        let (out, _) = run(&qkv, shape, None);
        let dqkv = gradient(&qkv, &out, shape, None);
        assert!(out.iter().chain(&dqkv).all(|value| value.is_finite()));
    }
}
