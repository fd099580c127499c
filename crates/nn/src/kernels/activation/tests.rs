//! Against the functions by their definition, and finite differences.

use super::*;
use crate::kernels::finite_difference::{assert_gradient, dot, normals};

const COLUMNS: usize = 21;
const LEN: usize = 3 * COLUMNS;

fn wide(seed: u64, len: usize) -> Vec<f64> {
    normals(seed, len).iter().map(|x| 3.0 * x).collect()
}

/// −6 to 6 and a few far out.
fn line() -> Vec<f64> {
    let mut x: Vec<f64> = (0..LEN).map(|index| (index as f64 - 31.0) / 5.0).collect();
    (x[0], x[1], x[2]) = (-37.0, 40.0, 1e-300);
    x
}

fn values<F: Float>(function: Pointwise, x: &[f64]) -> Vec<f64> {
    let mut pre: Vec<F> = x.iter().map(|x| F::from_f64(*x)).collect();
    let mut out = vec![F::from_f64(f64::NAN); LEN];
    forward(function, &mut pre, None, &mut out, COLUMNS);
    out.into_iter().map(F::to_f64).collect()
}

#[test]
fn gelu_tanh_is_the_tanh_form() {
    let x = line();
    for (x, ours) in x.iter().zip(values::<f64>(Pointwise::GeluTanh, &x)) {
        let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3));
        assert!((ours - 0.5 * x * (1.0 + inner.tanh())).abs() < 1e-14);
    }
}

#[test]
fn gelu_equals_the_error_function() {
    // x·Φ(x) by mpmath 1.3, 17 digits.
    let known: [(f64, f64); 10] = [
        (-8.0, -4.976_768_459_417_427e-15),
        (-5.0, -1.433_257_859_395_969_6e-6),
        (-3.0, -0.004_049_694_094_890_284),
        (-1.0, -0.158_655_253_931_457_05),
        (-0.5, -0.154_268_769_362_993_46),
        (0.0, 0.0),
        (0.25, 0.149_676_581_420_730_93),
        (1.0, 0.841_344_746_068_543),
        (2.5, 2.484_475_836_685_56),
        (6.0, 5.999_999_994_080_474),
    ];
    let mut x = vec![0.0; LEN];
    for (x, (given, _)) in x.iter_mut().zip(known) {
        *x = given;
    }
    let (wide, narrow) = (values::<f64>(Pointwise::Gelu, &x), values::<f32>(Pointwise::Gelu, &x));
    for (index, (x, expected)) in known.into_iter().enumerate() {
        // The exponent −x²/2 is rounded once.
        let bound = |epsilon: f64| (2.0 + x * x) * epsilon * expected.abs();
        let (wide, narrow) = (wide[index], narrow[index]);
        assert!((wide - expected).abs() <= bound(f64::EPSILON), "{x}: {wide}");
        let epsilon = f64::from(f32::EPSILON);
        assert!((narrow - expected).abs() <= bound(epsilon), "{x}: {narrow}");
    }
}

#[test]
fn relu_keeps_what_is_positive() {
    let x = line();
    for (x, ours) in x.iter().zip(values::<f64>(Pointwise::Relu, &x)) {
        assert_eq!(ours, x.max(0.0));
    }
}

#[test]
fn a_nan_stays_one() {
    for function in [Pointwise::GeluTanh, Pointwise::Gelu, Pointwise::Relu] {
        let (pre, mut out) = (vec![f32::NAN; LEN], vec![0.0; LEN]);
        let mut gradient = vec![1.0; LEN];
        assert!(values::<f32>(function, &[f64::NAN; LEN]).iter().all(|value| value.is_nan()));
        backward(function, &pre, &mut out, &mut gradient, None, COLUMNS);
        assert!(gradient.iter().all(|value| value.is_nan()), "{function:?}");
    }
}

#[test]
fn backward_is_the_gradient() {
    let (x, bias, dy) = (wide(1, LEN), normals(2, COLUMNS), normals(3, LEN));
    for function in [Pointwise::GeluTanh, Pointwise::Gelu, Pointwise::Relu] {
        let run = |x: &[f64], bias: &[f64]| {
            let (mut pre, mut out) = (x.to_vec(), vec![f64::NAN; LEN]);
            forward(function, &mut pre, Some(bias), &mut out, COLUMNS);
            (pre, out)
        };
        let (pre, out) = run(&x, &bias);
        let (mut again, mut dpre, mut dbias) =
            (vec![f64::NAN; LEN], dy.clone(), vec![0.0; COLUMNS]);
        backward(function, &pre, &mut again, &mut dpre, Some(&mut dbias), COLUMNS);
        assert_eq!(again, out);
        assert_gradient("input", &x, &dpre, |x| dot(&run(x, &bias).1, &dy));
        assert_gradient("bias", &bias, &dbias, |bias| dot(&run(&x, bias).1, &dy));
    }
}

#[test]
fn swiglu_backward_is_the_gradient() {
    let (gate, up, dy) = (wide(1, LEN), wide(2, LEN), normals(3, LEN));
    let (gate_bias, up_bias) = (normals(4, COLUMNS), normals(5, COLUMNS));
    let run = |gate: &[f64], up: &[f64]| {
        let (mut gate, mut up, mut out) = (gate.to_vec(), up.to_vec(), vec![f64::NAN; LEN]);
        swiglu_forward(&mut gate, &mut up, Some(&gate_bias), Some(&up_bias), &mut out, COLUMNS);
        (gate, up, out)
    };
    let (biased_gate, biased_up, out) = run(&gate, &up);
    let (mut again, mut dup, mut dgate) = (vec![f64::NAN; LEN], dy.clone(), vec![f64::NAN; LEN]);
    swiglu_backward(&biased_gate, &biased_up, &mut again, &mut dup, &mut dgate);
    assert_eq!(again, out);
    assert_gradient("gate", &gate, &dgate, |gate| dot(&run(gate, &up).2, &dy));
    assert_gradient("up", &up, &dup, |up| dot(&run(&gate, up).2, &dy));
    for ((out, gate), up) in out.iter().zip(&biased_gate).zip(&biased_up) {
        assert!((out - gate / (1.0 + (-gate).exp()) * up).abs() < 1e-13);
    }
}
