//! The numbers the engine computes with: f32 to train, f64 so that the same code can be checked by
//! finite differences.

use bytemuck::Pod;
use faer::traits::RealField;
use pulp::Simd;

/// f32 or f64.
///
/// Everything is generic over it, so the finite differences of the tests (which need f64) go
/// through the very kernels that train in f32. Not meant to be implemented for anything else.
pub trait Float: RealField + Pod + Default + PartialOrd + std::fmt::Debug + Registers {
    /// Rounds to the nearest number of this type.
    fn from_f64(value: f64) -> Self;
    /// Widens, without loss.
    fn to_f64(self) -> f64;
    /// Square root, correctly rounded.
    fn root(self) -> Self;
}

/// The vector registers of a number type, one method per instruction;
/// [`Vector`](crate::simd::Vector) makes them readable.
#[doc(hidden)]
pub trait Registers: Copy {
    /// A register full of numbers under the instruction set `S`.
    type Register<S: Simd>: Copy;
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Register<S>;
    fn load<S: Simd>(simd: S, slice: &[Self]) -> Self::Register<S>;
    fn load_partial<S: Simd>(simd: S, slice: &[Self]) -> Self::Register<S>;
    fn store<S: Simd>(simd: S, slice: &mut [Self], register: Self::Register<S>);
    fn store_partial<S: Simd>(simd: S, slice: &mut [Self], register: Self::Register<S>);
    fn add<S: Simd>(simd: S, a: Self::Register<S>, b: Self::Register<S>) -> Self::Register<S>;
    fn sub<S: Simd>(simd: S, a: Self::Register<S>, b: Self::Register<S>) -> Self::Register<S>;
    fn mul<S: Simd>(simd: S, a: Self::Register<S>, b: Self::Register<S>) -> Self::Register<S>;
    fn div<S: Simd>(simd: S, a: Self::Register<S>, b: Self::Register<S>) -> Self::Register<S>;
    fn max<S: Simd>(simd: S, a: Self::Register<S>, b: Self::Register<S>) -> Self::Register<S>;
    fn mul_add<S: Simd>(
        simd: S,
        a: Self::Register<S>,
        b: Self::Register<S>,
        c: Self::Register<S>,
    ) -> Self::Register<S>;
    /// Each lane's `value` where `condition` is above zero, else zero.
    fn where_positive<S: Simd>(
        simd: S,
        condition: Self::Register<S>,
        value: Self::Register<S>,
    ) -> Self::Register<S>;
    fn sum<S: Simd>(simd: S, a: Self::Register<S>) -> Self;
    fn exp<S: Simd>(simd: S, x: Self::Register<S>) -> Self::Register<S>;
}

/// Everything but `exp` differs between the two types in the names of pulp's methods alone.
macro_rules! registers {
    ($float:ty, $register:ident, $as_simd:ident, $as_mut_simd:ident, $splat:ident, $load:ident, $store:ident,
     $add:ident, $sub:ident, $mul:ident, $div:ident, $max:ident, $mul_add:ident, $sum:ident, $greater:ident, $select:ident, $exp:expr) => {
        impl Registers for $float {
            type Register<S: Simd> = S::$register;

            #[inline(always)]
            fn splat<S: Simd>(simd: S, value: Self) -> Self::Register<S> {
                simd.$splat(value)
            }
            #[inline(always)]
            fn load<S: Simd>(_: S, slice: &[Self]) -> Self::Register<S> {
                S::$as_simd(slice).0[0]
            }
            #[inline(always)]
            fn load_partial<S: Simd>(simd: S, slice: &[Self]) -> Self::Register<S> {
                simd.$load(slice)
            }
            #[inline(always)]
            fn store<S: Simd>(_: S, slice: &mut [Self], register: Self::Register<S>) {
                S::$as_mut_simd(slice).0[0] = register;
            }
            #[inline(always)]
            fn store_partial<S: Simd>(simd: S, slice: &mut [Self], register: Self::Register<S>) {
                simd.$store(slice, register);
            }
            #[inline(always)]
            fn add<S: Simd>(
                simd: S,
                a: Self::Register<S>,
                b: Self::Register<S>,
            ) -> Self::Register<S> {
                simd.$add(a, b)
            }
            #[inline(always)]
            fn sub<S: Simd>(
                simd: S,
                a: Self::Register<S>,
                b: Self::Register<S>,
            ) -> Self::Register<S> {
                simd.$sub(a, b)
            }
            #[inline(always)]
            fn mul<S: Simd>(
                simd: S,
                a: Self::Register<S>,
                b: Self::Register<S>,
            ) -> Self::Register<S> {
                simd.$mul(a, b)
            }
            #[inline(always)]
            fn div<S: Simd>(
                simd: S,
                a: Self::Register<S>,
                b: Self::Register<S>,
            ) -> Self::Register<S> {
                simd.$div(a, b)
            }
            #[inline(always)]
            fn max<S: Simd>(
                simd: S,
                a: Self::Register<S>,
                b: Self::Register<S>,
            ) -> Self::Register<S> {
                simd.$max(a, b)
            }
            #[inline(always)]
            fn mul_add<S: Simd>(
                simd: S,
                a: Self::Register<S>,
                b: Self::Register<S>,
                c: Self::Register<S>,
            ) -> Self::Register<S> {
                // The variant that may round twice: without FMA instructions the exact one calls a
                // slow routine.
                simd.$mul_add(a, b, c)
            }
            #[inline(always)]
            fn where_positive<S: Simd>(
                simd: S,
                condition: Self::Register<S>,
                value: Self::Register<S>,
            ) -> Self::Register<S> {
                let zero = simd.$splat(0.0);
                simd.$select(simd.$greater(condition, zero), value, zero)
            }
            #[inline(always)]
            fn sum<S: Simd>(simd: S, a: Self::Register<S>) -> Self {
                simd.$sum(a)
            }
            #[inline(always)]
            fn exp<S: Simd>(simd: S, x: Self::Register<S>) -> Self::Register<S> {
                $exp(simd, x)
            }
        }
    };
}

registers!(
    f32,
    f32s,
    as_simd_f32s,
    as_mut_simd_f32s,
    splat_f32s,
    partial_load_f32s,
    partial_store_f32s,
    add_f32s,
    sub_f32s,
    mul_f32s,
    div_f32s,
    max_f32s,
    mul_add_e_f32s,
    reduce_sum_f32s,
    greater_than_f32s,
    select_f32s,
    crate::exponential::exp_f32
);
registers!(
    f64,
    f64s,
    as_simd_f64s,
    as_mut_simd_f64s,
    splat_f64s,
    partial_load_f64s,
    partial_store_f64s,
    add_f64s,
    sub_f64s,
    mul_f64s,
    div_f64s,
    max_f64s,
    mul_add_e_f64s,
    reduce_sum_f64s,
    greater_than_f64s,
    select_f64s,
    crate::exponential::exp_f64
);

impl Float for f32 {
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value as f32
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    fn root(self) -> Self {
        self.sqrt()
    }
}

impl Float for f64 {
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
    #[inline(always)]
    fn root(self) -> Self {
        self.sqrt()
    }
}
