//! e^x of whole registers.

use pulp::Simd;

/// e^x in f32 for any instruction set.
///
/// x = n·ln 2 + r with |r| ≤ ln 2/2, and e^x = 2ⁿ·e^r. The polynomial for e^r has degree 6 with
/// coefficients that minimise the largest relative error (3.6e-9, by Lawson's reweighted least
/// squares): all that remains is rounding, at most 1.5 units in the last place (a test measures
/// it). Results beyond the normal numbers are 0 and ∞, from about −87.7 and 88.4 on; NaN gives NaN.
#[inline(always)]
pub(crate) fn exp_f32<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    /// Here n = −127 and 128, whose "2ⁿ" below are 0 and ∞.
    const LOWEST: f32 = -88.0;
    const HIGHEST: f32 = 88.8;
    /// 1.5·2²³ + 127: adding it leaves the nearest integer to the other summand, plus 127, in the
    /// low bits.
    const ROUNDER: f32 = 12_583_039.0;
    let constant = |value: f32| simd.splat_f32s(value);

    let x = if S::F32_LANES == 1 {
        // One lane: a minimum that ignores NaN would lose it.
        let x = simd.select_f32s(simd.less_than_f32s(x, constant(LOWEST)), constant(LOWEST), x);
        simd.select_f32s(simd.greater_than_f32s(x, constant(HIGHEST)), constant(HIGHEST), x)
    } else {
        // Registers: of a NaN and a number these return the second argument, or NaN.
        simd.min_f32s(constant(HIGHEST), simd.max_f32s(constant(LOWEST), x))
    };
    let shifted = simd.mul_add_e_f32s(x, constant(std::f32::consts::LOG2_E), constant(ROUNDER));
    let n = simd.sub_f32s(shifted, constant(ROUNDER));
    // ln 2 in two parts, the first with few bits so that n times it is exact.
    let r = simd.mul_add_e_f32s(n, constant(-0.693_359_4), x);
    let r = simd.mul_add_e_f32s(n, constant(2.121_944_4e-4), r);

    let mut polynomial = constant(1.381_454e-3);
    for coefficient in [8.368_745e-3, 4.166_839e-2, 0.166_665_21, 0.499_999_94] {
        polynomial = simd.mul_add_e_f32s(polynomial, r, constant(coefficient));
    }
    let square = simd.mul_f32s(r, r);
    let exp_r = simd.add_f32s(simd.mul_add_e_f32s(polynomial, square, r), constant(1.0));

    // 2ⁿ: move n + 127 to the exponent's place.
    let exponent =
        simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(shifted), simd.splat_u32s(23));
    simd.mul_f32s(exp_r, simd.transmute_f32s_u32s(exponent))
}

/// e^x in f64 by the standard library, lane by lane: f64 serves checks, not speed.
#[inline(always)]
pub(crate) fn exp_f64<S: Simd>(simd: S, x: S::f64s) -> S::f64s {
    let mut lanes = [x];
    for lane in bytemuck::cast_slice_mut::<S::f64s, f64>(&mut lanes) {
        *lane = lane.exp();
    }
    let _ = simd;
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// e^x of a slice whose length is a multiple of any register's.
    struct Exp<'a>(&'a mut [f32]);

    impl pulp::WithSimd for Exp<'_> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            for x in S::as_mut_simd_f32s(self.0).0 {
                *x = exp_f32(simd, *x);
            }
        }
    }

    /// The instruction sets that this processor has, by name.
    fn run_everywhere(values: &[f32]) -> Vec<(&'static str, Vec<f32>)> {
        let mut results = Vec::new();
        let mut run = |name, dispatch: &dyn Fn(Exp<'_>)| {
            let mut values = values.to_vec();
            dispatch(Exp(&mut values));
            results.push((name, values));
        };
        run("scalar", &|exp| pulp::Scalar.vectorize(exp));
        run("best", &|exp| pulp::Arch::new().dispatch(exp));
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = pulp::x86::V3::try_new() {
            run("AVX2", &|exp| Simd::vectorize(simd, exp));
        }
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = pulp::x86::V4::try_new() {
            run("AVX-512", &|exp| Simd::vectorize(simd, exp));
        }
        results
    }

    #[test]
    fn exp_is_within_one_and_a_half_units_in_the_last_place() {
        let inputs: Vec<f32> =
            (0..1 << 20).map(|index| -87.3 + 175.6 * index as f32 / (1 << 20) as f32).collect();
        for (name, outputs) in run_everywhere(&inputs) {
            for (x, y) in inputs.iter().zip(outputs) {
                let exact = f64::from(*x).exp();
                let unit = f64::from(f32::from_bits((exact as f32).to_bits() + 1))
                    - f64::from(exact as f32);
                assert!(
                    (f64::from(y) - exact).abs() <= 1.5 * unit,
                    "{name}: e^{x} = {y}, exactly {exact}"
                );
            }
        }
    }

    #[test]
    fn exp_saturates_and_passes_nan_on() {
        let (low, high) = (f32::NEG_INFINITY, f32::INFINITY);
        let mut inputs = vec![low, -1e30, -88.0, 0.0, 89.0, 1e30, high, f32::NAN];
        inputs.resize(16, 1.0);
        for (name, outputs) in run_everywhere(&inputs) {
            assert_eq!(outputs[..7], [0.0, 0.0, 0.0, 1.0, high, high, high], "{name}");
            assert!(outputs[7].is_nan(), "{name}");
        }
    }
}
