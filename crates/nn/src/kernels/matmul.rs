//! Matrix products: y = x Wᵀ and its two gradients, dx = dy W and dW += dyᵀ x.
//!
//! The GEMM is faer's (`private-gemm-x86` on x86-64: AVX2 or AVX-512 chosen at run time), always
//! single-threaded: the engine's threads work on different sequences instead.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use crate::Float;
use crate::kernels::store::Store;

/// A row-major matrix of `rows` × `columns` whose rows start `stride` elements apart.
#[inline]
pub(crate) fn view<F: Float>(
    data: &[F],
    rows: usize,
    columns: usize,
    stride: usize,
) -> MatRef<'_, F> {
    MatRef::from_row_major_slice_with_stride(data, rows, columns, stride)
}

/// A mutable row-major matrix, as [`view`].
///
/// By way of the transpose: in faer 0.24.4 `MatMut::from_row_major_slice_with_stride_mut` swaps the
/// strides, and writes through it leave the slice.
#[inline]
pub(crate) fn view_mut<F: Float>(
    data: &mut [F],
    rows: usize,
    columns: usize,
    stride: usize,
) -> MatMut<'_, F> {
    MatMut::from_column_major_slice_with_stride_mut(data, columns, rows, stride).transpose_mut()
}

/// Bytes of the right operand that one call may pack: half of a 1 MiB second-level cache.
const PANEL_BYTES: usize = 1 << 19;

/// Columns that faer's AVX-512 microkernel computes at once; panels are multiples of it.
const MICROKERNEL_COLUMNS: usize = 96;

/// out ← factor · left · right, or out += …, for a row-major `out`.
///
/// A right operand beyond [`PANEL_BYTES`] is cut into column panels: in one piece faer computed 512
/// × 384 × 1536 at 95 GFLOP/s on a core of which 512 × 384 × 1152 got 112.
pub(crate) fn product<F: Float>(
    mut out: MatMut<'_, F>,
    accumulate: Accum,
    left: MatRef<'_, F>,
    right: MatRef<'_, F>,
    factor: F,
) {
    // faer cuts the inner dimension at 512.
    let packed_rows = right.nrows().clamp(1, 512);
    let fitting = PANEL_BYTES / (packed_rows * size_of::<F>());
    let panel = (fitting / MICROKERNEL_COLUMNS).max(1) * MICROKERNEL_COLUMNS;
    let columns = right.ncols();
    let mut start = 0;
    while start < columns {
        let width = panel.min(columns - start);
        matmul(
            out.as_mut().subcols_mut(start, width),
            accumulate,
            left,
            right.subcols(start, width),
            factor,
            Par::Seq,
        );
        start += width;
    }
}

/// y ← x Wᵀ, with x `[rows, inputs]`, W `[outputs, inputs]`, y `[rows, outputs]`.
///
/// faer packs Wᵀ across W's rows. A transposed copy made once a step would save that, but gained
/// nothing measurable.
pub(crate) fn forward<F: Float>(
    y: &mut [F],
    x: &[F],
    weight: &[F],
    rows: usize,
    inputs: usize,
    outputs: usize,
) {
    product(
        view_mut(y, rows, outputs, outputs),
        Accum::Replace,
        view(x, rows, inputs, inputs),
        view(weight, outputs, inputs, inputs).transpose(),
        F::from_f64(1.0),
    );
}

/// dx ← dy W, or dx += dy W.
pub(crate) fn backward_input<F: Float>(
    dx: &mut [F],
    dy: &[F],
    weight: &[F],
    rows: usize,
    inputs: usize,
    outputs: usize,
    store: Store,
) {
    product(
        view_mut(dx, rows, inputs, inputs),
        match store {
            Store::Overwrite => Accum::Replace,
            Store::Add => Accum::Add,
        },
        view(dy, rows, outputs, outputs),
        view(weight, outputs, inputs, inputs),
        F::from_f64(1.0),
    );
}

/// dW += dyᵀ x.
pub(crate) fn backward_weight<F: Float>(
    weight_gradient: &mut [F],
    dy: &[F],
    x: &[F],
    rows: usize,
    inputs: usize,
    outputs: usize,
) {
    product(
        view_mut(weight_gradient, outputs, inputs, inputs),
        Accum::Add,
        view(dy, rows, outputs, outputs).transpose(),
        view(x, rows, inputs, inputs),
        F::from_f64(1.0),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::finite_difference::{assert_gradient, dot, normals};

    /// Plain sums, to compare with.
    fn naive(x: &[f64], weight: &[f64], rows: usize, inputs: usize, outputs: usize) -> Vec<f64> {
        let element = |index: usize| {
            let (row, output) = (index / outputs, index % outputs);
            (0..inputs).map(|input| x[row * inputs + input] * weight[output * inputs + input]).sum()
        };
        (0..rows * outputs).map(element).collect()
    }

    #[test]
    fn forward_equals_plain_sums_beyond_one_panel() {
        // 300 inputs make panels of 192 outputs in f64.
        let (rows, inputs, outputs) = (5, 300, 400);
        let (x, weight) = (normals(1, rows * inputs), normals(2, outputs * inputs));
        let mut y = vec![f64::NAN; rows * outputs];
        forward(&mut y, &x, &weight, rows, inputs, outputs);
        for (ours, plain) in y.iter().zip(naive(&x, &weight, rows, inputs, outputs)) {
            assert!((ours - plain).abs() < 1e-11);
        }
    }

    #[test]
    fn backward_is_the_gradient() {
        let (rows, inputs, outputs) = (7, 3, 5);
        let (x, weight, dy) =
            (normals(1, rows * inputs), normals(2, outputs * inputs), normals(3, rows * outputs));
        let loss = |x: &[f64], weight: &[f64]| dot(&naive(x, weight, rows, inputs, outputs), &dy);
        let mut dx = vec![f64::NAN; x.len()];
        backward_input(&mut dx, &dy, &weight, rows, inputs, outputs, Store::Overwrite);
        assert_gradient("input", &x, &dx, |x| loss(x, &weight));
        let mut dweight = vec![0.0; weight.len()];
        backward_weight(&mut dweight, &dy, &x, rows, inputs, outputs);
        assert_gradient("weight", &weight, &dweight, |weight| loss(&x, weight));

        let (once_dx, once_dweight) = (dx.clone(), dweight.clone());
        backward_input(&mut dx, &dy, &weight, rows, inputs, outputs, Store::Add);
        backward_weight(&mut dweight, &dy, &x, rows, inputs, outputs);
        let doubled = |twice: &[f64], once: &[f64]| {
            twice.iter().zip(once).all(|(a, b)| (a - 2.0 * b).abs() < 1e-13)
        };
        assert!(doubled(&dx, &once_dx) && doubled(&dweight, &once_dweight));
    }
}
