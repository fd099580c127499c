//! GELU (tanh form) and SwiGLU, each with the biases of the maps before it in the same pass.
//!
//! GELU(x) = ½x(1 + tanh u) with u = √(2/π)(x + 0.044715x³), computed as x·σ(2u): the same function with one
//! exponential and no cancellation. GELU′(x) = s + x·s(1 − s)·2u′ with s = σ(2u), 2u′ = 2√(2/π)(1 + 3·0.044715x²).
//! SwiGLU(g, u) = g·σ(g)·u.
//!
//! The backward recomputes the output (which the next map's weight gradient needs) instead of having it stored.

use pulp::Simd;

use crate::Float;
use crate::simd::{Vector, dispatched, for_groups};

/// 2√(2/π).
const TWICE_ROOT: f64 = 1.595_769_121_605_730_9;
/// The cubic's coefficient in GELU's tanh form (Hendrycks & Gimpel, 1606.08415).
const CUBIC: f64 = 0.044_715;

dispatched! {
    /// pre += bias in every row; out ← GELU(pre).
    pub(crate) fn gelu_forward = gelu_forward_body(pre: &'a mut [F], bias: Option<&'a [F]>, out: &'a mut [F], columns: usize)
}

dispatched! {
    /// On entry `gradient` is that of the output, on return that of `pre`; `out` ← GELU(pre); bias gradient += Σ rows.
    pub(crate) fn gelu_backward = gelu_backward_body(
        pre: &'a [F],
        out: &'a mut [F],
        gradient: &'a mut [F],
        bias_gradient: Option<&'a mut [F]>,
        columns: usize,
    )
}

dispatched! {
    /// gate += gate_bias; up += up_bias; out ← silu(gate)·up.
    pub(crate) fn swiglu_forward = swiglu_forward_body(
        gate: &'a mut [F],
        up: &'a mut [F],
        gate_bias: Option<&'a [F]>,
        up_bias: Option<&'a [F]>,
        out: &'a mut [F],
        columns: usize,
    )
}

dispatched! {
    /// On entry `gradient` is that of the output, on return that of `up`; `out` ← silu(gate)·up.
    pub(crate) fn swiglu_backward = swiglu_backward_body(
        gate: &'a [F],
        up: &'a [F],
        out: &'a mut [F],
        gradient: &'a mut [F],
        gate_gradient: &'a mut [F],
    )
}

/// σ(2u) and 2u′ of GELU's tanh form.
#[inline(always)]
fn gelu_parts<F: Float, S: Simd>(simd: S, x: Vector<F, S>) -> (Vector<F, S>, Vector<F, S>) {
    let square = x * x;
    let twice = |factor: f64| Vector::constant(simd, TWICE_ROOT * factor);
    let argument = square.mul_add(twice(CUBIC), twice(1.0)) * x;
    let slope = square.mul_add(twice(3.0 * CUBIC), twice(1.0));
    (argument.sigmoid(), slope)
}

#[inline(always)]
fn gelu_forward_body<F: Float, S: Simd>(
    simd: S,
    pre: &mut [F],
    bias: Option<&[F]>,
    out: &mut [F],
    columns: usize,
) {
    for (pre, out) in pre
        .chunks_exact_mut(columns)
        .zip(out.chunks_exact_mut(columns))
    {
        for_groups!(Vector::<F, S>::LANES, columns, |group| {
            let mut x = Vector::load(simd, pre, group);
            if let Some(bias) = bias {
                x += Vector::load(simd, bias, group);
                x.store(pre, group);
            }
            (x * gelu_parts(simd, x).0).store(out, group);
        });
    }
}

#[inline(always)]
fn gelu_backward_body<F: Float, S: Simd>(
    simd: S,
    pre: &[F],
    out: &mut [F],
    gradient: &mut [F],
    mut bias_gradient: Option<&mut [F]>,
    columns: usize,
) {
    let one = Vector::<F, S>::constant(simd, 1.0);
    let rows = pre
        .chunks_exact(columns)
        .zip(out.chunks_exact_mut(columns))
        .zip(gradient.chunks_exact_mut(columns));
    for ((pre, out), gradient) in rows {
        for_groups!(Vector::<F, S>::LANES, columns, |group| {
            let x = Vector::load(simd, pre, group);
            let (sigmoid, slope) = gelu_parts(simd, x);
            let value = x * sigmoid;
            value.store(out, group);
            let derivative = (value * (one - sigmoid)).mul_add(slope, sigmoid);
            let gradient_pre = Vector::load(simd, gradient, group) * derivative;
            gradient_pre.store(gradient, group);
            if let Some(bias_gradient) = bias_gradient.as_deref_mut() {
                (Vector::load(simd, bias_gradient, group) + gradient_pre)
                    .store(bias_gradient, group);
            }
        });
    }
}

#[inline(always)]
fn swiglu_forward_body<F: Float, S: Simd>(
    simd: S,
    gate: &mut [F],
    up: &mut [F],
    gate_bias: Option<&[F]>,
    up_bias: Option<&[F]>,
    out: &mut [F],
    columns: usize,
) {
    let rows = gate
        .chunks_exact_mut(columns)
        .zip(up.chunks_exact_mut(columns))
        .zip(out.chunks_exact_mut(columns));
    for ((gate, up), out) in rows {
        for_groups!(Vector::<F, S>::LANES, columns, |group| {
            let mut g = Vector::load(simd, gate, group);
            let mut u = Vector::load(simd, up, group);
            if let (Some(gate_bias), Some(up_bias)) = (gate_bias, up_bias) {
                g += Vector::load(simd, gate_bias, group);
                g.store(gate, group);
                u += Vector::load(simd, up_bias, group);
                u.store(up, group);
            }
            (g * g.sigmoid() * u).store(out, group);
        });
    }
}

#[inline(always)]
fn swiglu_backward_body<F: Float, S: Simd>(
    simd: S,
    gate: &[F],
    up: &[F],
    out: &mut [F],
    gradient: &mut [F],
    gate_gradient: &mut [F],
) {
    let one = Vector::<F, S>::constant(simd, 1.0);
    let len = gate.len();
    let (up, out) = (&up[..len], &mut out[..len]);
    let (gradient, gate_gradient) = (&mut gradient[..len], &mut gate_gradient[..len]);
    for_groups!(Vector::<F, S>::LANES, len, |group| {
        let g = Vector::load(simd, gate, group);
        let u = Vector::load(simd, up, group);
        let d = Vector::load(simd, gradient, group);
        let sigmoid = g.sigmoid();
        let silu = g * sigmoid;
        (silu * u).store(out, group);
        (d * silu).store(gradient, group);
        // silu′ = σ + g·σ(1 − σ)
        let derivative = silu.mul_add(one - sigmoid, sigmoid);
        (d * u * derivative).store(gate_gradient, group);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::finite_difference::{assert_gradient, dot, normals};

    const COLUMNS: usize = 21;
    const LEN: usize = 3 * COLUMNS;

    fn wide(seed: u64, len: usize) -> Vec<f64> {
        normals(seed, len).iter().map(|x| 3.0 * x).collect()
    }

    #[test]
    fn gelu_is_the_tanh_form() {
        let mut x: Vec<f64> = (0..LEN).map(|index| (index as f64 - 31.0) / 5.0).collect();
        let mut out = vec![f64::NAN; LEN];
        gelu_forward(&mut x, None, &mut out, COLUMNS);
        for (x, ours) in x.iter().zip(&out) {
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3));
            assert!((ours - 0.5 * x * (1.0 + inner.tanh())).abs() < 1e-14);
        }
    }

    #[test]
    fn gelu_backward_is_the_gradient() {
        let (x, bias, dy) = (wide(1, LEN), normals(2, COLUMNS), normals(3, LEN));
        let run = |x: &[f64], bias: &[f64]| {
            let (mut pre, mut out) = (x.to_vec(), vec![f64::NAN; LEN]);
            gelu_forward(&mut pre, Some(bias), &mut out, COLUMNS);
            (pre, out)
        };
        let (pre, out) = run(&x, &bias);
        let (mut again, mut dpre, mut dbias) =
            (vec![f64::NAN; LEN], dy.clone(), vec![0.0; COLUMNS]);
        gelu_backward(&pre, &mut again, &mut dpre, Some(&mut dbias), COLUMNS);
        assert_eq!(again, out);
        assert_gradient("input", &x, &dpre, |x| dot(&run(x, &bias).1, &dy));
        assert_gradient("bias", &bias, &dbias, |bias| dot(&run(&x, bias).1, &dy));
    }

    #[test]
    fn swiglu_backward_is_the_gradient() {
        let (gate, up, dy) = (wide(1, LEN), wide(2, LEN), normals(3, LEN));
        let (gate_bias, up_bias) = (normals(4, COLUMNS), normals(5, COLUMNS));
        let run = |gate: &[f64], up: &[f64]| {
            let (mut gate, mut up, mut out) = (gate.to_vec(), up.to_vec(), vec![f64::NAN; LEN]);
            swiglu_forward(
                &mut gate,
                &mut up,
                Some(&gate_bias),
                Some(&up_bias),
                &mut out,
                COLUMNS,
            );
            (gate, up, out)
        };
        let (biased_gate, biased_up, out) = run(&gate, &up);
        let (mut again, mut dup, mut dgate) =
            (vec![f64::NAN; LEN], dy.clone(), vec![f64::NAN; LEN]);
        swiglu_backward(&biased_gate, &biased_up, &mut again, &mut dup, &mut dgate);
        assert_eq!(again, out);
        assert_gradient("gate", &gate, &dgate, |gate| dot(&run(gate, &up).2, &dy));
        assert_gradient("up", &up, &dup, |up| dot(&run(&gate, up).2, &dy));
        for ((out, gate), up) in out.iter().zip(&biased_gate).zip(&biased_up) {
            assert!((out - gate / (1.0 + (-gate).exp()) * up).abs() < 1e-13);
        }
    }
}
