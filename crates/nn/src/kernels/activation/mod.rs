//! GELU, ReLU and SwiGLU, each with the biases of the maps before it in the same pass.
//!
//! GELU(x) = x·Φ(x), Φ the normal distribution; computed as max(x, 0) − |x|·Q(|x|) with the tail Q
//! = 1 − Φ, which loses nothing to cancellation where Φ is small. GELU′(x) = Φ(x) + x·φ(x), φ(x) =
//! e^(−x²/2)/√(2π). Its tanh form is ½x(1 + tanh u) with u = √(2/π)(x + 0.044715x³), computed as
//! x·σ(2u): the same function with one exponential and no cancellation. Its derivative is s + x·s(1
//! − s)·2u′ with s = σ(2u), 2u′ = 2√(2/π)(1 + 3·0.044715x²). SwiGLU(g, u) = g·σ(g)·u.
//!
//! The backward recomputes the output (which the next map's weight gradient needs) instead of
//! having it stored.

use pulp::Simd;

use crate::Float;
use crate::simd::{Vector, dispatched, for_groups};

/// 2√(2/π).
const TWICE_ROOT: f64 = 1.595_769_121_605_730_9;
/// The cubic's coefficient in GELU's tanh form (Hendrycks & Gimpel, 1606.08415).
const CUBIC: f64 = 0.044_715;

/// 1/√(2π).
const ONE_OVER_ROOT_TAU: f64 = 0.398_942_280_401_432_7;
/// Stands in for 0 in a denominator: the least normal f32.
const TINY: f64 = f32::MIN_POSITIVE as f64;

/// Q(y) = e^(−y²/2)·t·P(t) for y ≥ 0, with t = 1/(1 + `TAIL_SCALE`·y): the polynomials interpolate
/// erfc(y/√2)·e^(y²/2)/(2t) at the Chebyshev nodes of 0 ≤ t ≤ 1. Of the scales 0.2, 0.25 … 1 this
/// one needs the lowest degrees for errors of Q/φ below 2e-8 (it is 8e-9) and 2e-17 (1e-17).
/// `gelu_tail.py` computes them.
const TAIL_SCALE: f64 = 0.2;
const TAIL_F32: [f64; 10] = [
    0.079_788_477_699_790_2,
    0.079_784_119_606_070_13,
    0.076_742_104_387_277_02,
    0.068_307_807_632_648_42,
    0.073_846_216_715_332_37,
    -0.000_060_078_949_988_828_186,
    0.155_446_388_849_477_48,
    -0.144_144_486_812_156_22,
    0.154_838_377_740_959_4,
    -0.044_548_934_906_920_66,
];
const TAIL_F64: [f64; 23] = [
    0.079_788_456_080_286_54,
    0.079_788_456_080_286_73,
    0.076_596_917_837_028_97,
    0.070_213_841_355_383_89,
    0.061_022_210_953_198_8,
    0.049_788_004_901_867_44,
    0.037_583_380_666_436_66,
    0.025_636_930_034_664_402,
    0.015_085_301_478_465_447,
    0.007_105_052_483_431_843,
    0.000_321_768_849_406_184,
    0.003_860_495_687_008_827_7,
    -0.020_076_731_516_992_293,
    0.048_901_389_312_472_05,
    -0.109_973_689_066_546_4,
    0.188_567_095_137_054_8,
    -0.250_408_077_045_504_83,
    0.255_940_213_251_951_27,
    -0.192_509_620_908_819_15,
    0.101_490_453_608_053_03,
    -0.035_360_862_786_425_81,
    0.007_324_042_970_174_972,
    -0.000_685_029_362_883_348_2,
];

/// A function of one number, with its derivative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pointwise {
    /// GELU in its tanh form.
    GeluTanh,
    /// GELU with the exact normal distribution.
    Gelu,
    /// max(x, 0), with derivative 0 at 0 as in PyTorch.
    Relu,
}

dispatched! {
    /// pre += bias in every row; out ← f(pre).
    pub(crate) fn forward = forward_body(
        function: Pointwise,
        pre: &'a mut [F],
        bias: Option<&'a [F]>,
        out: &'a mut [F],
        columns: usize,
    )
}

dispatched! {
    /// On entry `gradient` is that of the output, on return that of `pre`; `out` ← f(pre); bias
    /// gradient += Σ rows.
    pub(crate) fn backward = backward_body(
        function: Pointwise,
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

/// What a [`Pointwise`] is made of; a type, so that each gets a loop of its own.
trait Function {
    fn value<F: Float, S: Simd>(simd: S, x: Vector<F, S>) -> Vector<F, S>;
    fn value_and_derivative<F: Float, S: Simd>(
        simd: S,
        x: Vector<F, S>,
    ) -> (Vector<F, S>, Vector<F, S>);
}

struct GeluTanh;
struct Gelu;
struct Relu;

/// σ(2u) and 2u′ of GELU's tanh form.
#[inline(always)]
fn gelu_parts<F: Float, S: Simd>(simd: S, x: Vector<F, S>) -> (Vector<F, S>, Vector<F, S>) {
    let square = x * x;
    let twice = |factor: f64| Vector::constant(simd, TWICE_ROOT * factor);
    let argument = square.mul_add(twice(CUBIC), twice(1.0)) * x;
    let slope = square.mul_add(twice(3.0 * CUBIC), twice(1.0));
    (argument.sigmoid(), slope)
}

impl Function for GeluTanh {
    #[inline(always)]
    fn value<F: Float, S: Simd>(simd: S, x: Vector<F, S>) -> Vector<F, S> {
        x * gelu_parts(simd, x).0
    }

    #[inline(always)]
    fn value_and_derivative<F: Float, S: Simd>(
        simd: S,
        x: Vector<F, S>,
    ) -> (Vector<F, S>, Vector<F, S>) {
        let (sigmoid, slope) = gelu_parts(simd, x);
        let value = x * sigmoid;
        let one = Vector::constant(simd, 1.0);
        (value, (value * (one - sigmoid)).mul_add(slope, sigmoid))
    }
}

/// A polynomial, highest power last.
#[inline(always)]
fn polynomial<F: Float, S: Simd, const N: usize>(
    simd: S,
    coefficients: &[f64; N],
    t: Vector<F, S>,
) -> Vector<F, S> {
    let mut value = Vector::constant(simd, coefficients[N - 1]);
    for coefficient in coefficients[..N - 1].iter().rev() {
        value = value.mul_add(t, Vector::constant(simd, *coefficient));
    }
    value
}

/// |x|, e^(−x²/2) and the tail Q(|x|) = 1 − Φ(|x|).
#[inline(always)]
fn normal_tail<F: Float, S: Simd>(simd: S, x: Vector<F, S>) -> [Vector<F, S>; 3] {
    let (zero, one) = (Vector::constant(simd, 0.0), Vector::constant(simd, 1.0));
    let magnitude = x.max(zero - x);
    let density = (x * x * Vector::constant(simd, -0.5)).exp();
    let t = one / magnitude.mul_add(Vector::constant(simd, TAIL_SCALE), one);
    let ratio = if size_of::<F>() == size_of::<f32>() {
        polynomial(simd, &TAIL_F32, t)
    } else {
        polynomial(simd, &TAIL_F64, t)
    };
    [magnitude, density, density * t * ratio]
}

impl Function for Gelu {
    #[inline(always)]
    fn value<F: Float, S: Simd>(simd: S, x: Vector<F, S>) -> Vector<F, S> {
        let [magnitude, _, tail] = normal_tail(simd, x);
        x.max(Vector::constant(simd, 0.0)) - magnitude * tail
    }

    #[inline(always)]
    fn value_and_derivative<F: Float, S: Simd>(
        simd: S,
        x: Vector<F, S>,
    ) -> (Vector<F, S>, Vector<F, S>) {
        let [magnitude, density, tail] = normal_tail(simd, x);
        let (zero, half) = (Vector::constant(simd, 0.0), Vector::constant(simd, 0.5));
        let value = x.max(zero) - magnitude * tail;
        // Φ = ½ + sign(x)·(½ − Q).
        let sign = x / magnitude.max(Vector::constant(simd, TINY));
        let cumulative = sign.mul_add(half - tail, half);
        let slope = x * density * Vector::constant(simd, ONE_OVER_ROOT_TAU);
        (value, cumulative + slope)
    }
}

impl Function for Relu {
    #[inline(always)]
    fn value<F: Float, S: Simd>(simd: S, x: Vector<F, S>) -> Vector<F, S> {
        // In this order a NaN stays one.
        Vector::constant(simd, 0.0).max(x)
    }

    #[inline(always)]
    fn value_and_derivative<F: Float, S: Simd>(
        simd: S,
        x: Vector<F, S>,
    ) -> (Vector<F, S>, Vector<F, S>) {
        let value = Self::value(simd, x);
        (value, value / value.max(Vector::constant(simd, TINY)))
    }
}

#[inline(always)]
fn forward_body<F: Float, S: Simd>(
    simd: S,
    function: Pointwise,
    pre: &mut [F],
    bias: Option<&[F]>,
    out: &mut [F],
    columns: usize,
) {
    match function {
        Pointwise::GeluTanh => forward_rows::<F, S, GeluTanh>(simd, pre, bias, out, columns),
        Pointwise::Gelu => forward_rows::<F, S, Gelu>(simd, pre, bias, out, columns),
        Pointwise::Relu => forward_rows::<F, S, Relu>(simd, pre, bias, out, columns),
    }
}

#[inline(always)]
fn forward_rows<F: Float, S: Simd, A: Function>(
    simd: S,
    pre: &mut [F],
    bias: Option<&[F]>,
    out: &mut [F],
    columns: usize,
) {
    for (pre, out) in pre.chunks_exact_mut(columns).zip(out.chunks_exact_mut(columns)) {
        for_groups!(Vector::<F, S>::LANES, columns, |group| {
            let mut x = Vector::load(simd, pre, group);
            if let Some(bias) = bias {
                x += Vector::load(simd, bias, group);
                x.store(pre, group);
            }
            A::value(simd, x).store(out, group);
        });
    }
}

#[inline(always)]
fn backward_body<F: Float, S: Simd>(
    simd: S,
    function: Pointwise,
    pre: &[F],
    out: &mut [F],
    gradient: &mut [F],
    bias_gradient: Option<&mut [F]>,
    columns: usize,
) {
    match function {
        Pointwise::GeluTanh => {
            backward_rows::<F, S, GeluTanh>(simd, pre, out, gradient, bias_gradient, columns);
        }
        Pointwise::Gelu => {
            backward_rows::<F, S, Gelu>(simd, pre, out, gradient, bias_gradient, columns);
        }
        Pointwise::Relu => {
            backward_rows::<F, S, Relu>(simd, pre, out, gradient, bias_gradient, columns);
        }
    }
}

#[inline(always)]
fn backward_rows<F: Float, S: Simd, A: Function>(
    simd: S,
    pre: &[F],
    out: &mut [F],
    gradient: &mut [F],
    mut bias_gradient: Option<&mut [F]>,
    columns: usize,
) {
    let rows = pre
        .chunks_exact(columns)
        .zip(out.chunks_exact_mut(columns))
        .zip(gradient.chunks_exact_mut(columns));
    for ((pre, out), gradient) in rows {
        for_groups!(Vector::<F, S>::LANES, columns, |group| {
            let x = Vector::load(simd, pre, group);
            let (value, derivative) = A::value_and_derivative(simd, x);
            value.store(out, group);
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
mod tests;
