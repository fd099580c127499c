//! Vectors of numbers with operators, and the run-time choice between AVX-512, AVX2 and plain code.
//!
//! A kernel is written once over [`Vector`]; [`dispatched!`] makes the public function that picks
//! the instruction set of the processor it runs on (by `pulp`). Without it a portable binary would
//! use the four lanes of SSE2.

use std::ops::{Add, AddAssign, Div, Mul, Sub};

use pulp::Simd;

use crate::Float;
use crate::float::Registers;

/// A register full of numbers.
pub(crate) struct Vector<F: Float, S: Simd> {
    simd: S,
    register: F::Register<S>,
}

impl<F: Float, S: Simd> Clone for Vector<F, S> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<F: Float, S: Simd> Copy for Vector<F, S> {}

/// Up to one register's worth of neighbouring elements of a row.
#[derive(Clone, Copy)]
pub(crate) struct Group {
    pub(crate) start: usize,
    pub(crate) len: usize,
}

impl<F: Float, S: Simd> Vector<F, S> {
    /// Numbers in a register.
    pub(crate) const LANES: usize = size_of::<F::Register<S>>() / size_of::<F>();

    #[inline(always)]
    pub(crate) fn splat(simd: S, value: F) -> Self {
        Self { simd, register: F::splat(simd, value) }
    }

    #[inline(always)]
    pub(crate) fn constant(simd: S, value: f64) -> Self {
        Self::splat(simd, F::from_f64(value))
    }

    /// The group's elements of `row`; zeros beyond a short group.
    #[inline(always)]
    pub(crate) fn load(simd: S, row: &[F], group: Group) -> Self {
        let elements = &row[group.start..group.start + group.len];
        let register = if group.len == Self::LANES {
            F::load(simd, elements)
        } else {
            F::load_partial(simd, elements)
        };
        Self { simd, register }
    }

    /// Writes the group's elements of `row`.
    #[inline(always)]
    pub(crate) fn store(self, row: &mut [F], group: Group) {
        let elements = &mut row[group.start..group.start + group.len];
        if group.len == Self::LANES {
            F::store(self.simd, elements, self.register);
        } else {
            F::store_partial(self.simd, elements, self.register);
        }
    }

    /// self · factor + addend.
    #[inline(always)]
    pub(crate) fn mul_add(self, factor: Self, addend: Self) -> Self {
        Self {
            simd: self.simd,
            register: F::mul_add(self.simd, self.register, factor.register, addend.register),
        }
    }

    /// The larger of each pair; `other` where either is NaN.
    #[inline(always)]
    pub(crate) fn max(self, other: Self) -> Self {
        Self { simd: self.simd, register: F::max(self.simd, self.register, other.register) }
    }

    /// Each lane of `value` where this one is above zero, else zero.
    #[inline(always)]
    pub(crate) fn where_positive(self, value: Self) -> Self {
        Self {
            simd: self.simd,
            register: F::where_positive(self.simd, self.register, value.register),
        }
    }

    /// Sum over the lanes.
    #[inline(always)]
    pub(crate) fn sum(self) -> F {
        F::sum(self.simd, self.register)
    }

    #[inline(always)]
    pub(crate) fn exp(self) -> Self {
        Self { simd: self.simd, register: F::exp(self.simd, self.register) }
    }

    /// 1/(1 + e^−x).
    #[inline(always)]
    pub(crate) fn sigmoid(self) -> Self {
        let one = Self::constant(self.simd, 1.0);
        one / (one + (Self::constant(self.simd, 0.0) - self).exp())
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident) => {
        impl<F: Float, S: Simd> $trait for Vector<F, S> {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self {
                    simd: self.simd,
                    register: <F as Registers>::$method(self.simd, self.register, other.register),
                }
            }
        }
    };
}

operator!(Add, add);
operator!(Sub, sub);
operator!(Mul, mul);
operator!(Div, div);

impl<F: Float, S: Simd> AddAssign for Vector<F, S> {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// Runs a block for every group of `$lanes` columns, then for the rest.
///
/// A macro, not a function with a closure: a closure called from two places may not be inlined, and
/// then it is not compiled for the chosen instruction set.
macro_rules! for_groups {
    ($lanes:expr, $columns:expr, |$group:ident| $body:block) => {{
        let (lanes, columns) = ($lanes, $columns);
        let mut start = 0;
        while start + lanes <= columns {
            let $group = $crate::simd::Group { start, len: lanes };
            $body
            start += lanes;
        }
        if start < columns {
            let $group = $crate::simd::Group { start, len: columns - start };
            $body
        }
    }};
}
pub(crate) use for_groups;

/// Defines `$name`, which runs `$body::<F, S>(simd, arguments…)` under the best instruction set of
/// the processor.
///
/// `$body` has to be `#[inline(always)]`: only what is inlined is compiled for that instruction
/// set.
macro_rules! dispatched {
    ($(#[$meta:meta])* $visibility:vis fn $name:ident = $body:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)?) => {
        $(#[$meta])*
        #[expect(clippy::allow_attributes, reason = "how many arguments there are depends on the \
                                                     kernel")]
        #[allow(clippy::too_many_arguments, reason = "a kernel takes its operands one by one")]
        $visibility fn $name<'a, F: $crate::Float>($($argument: $type),*) $(-> $result)? {
            struct Call<'a, F: $crate::Float> {
                $($argument: $type,)*
                lifetime: std::marker::PhantomData<&'a F>,
            }
            impl<F: $crate::Float> pulp::WithSimd for Call<'_, F> {
                type Output = dispatched!(@result $($result)?);

                #[inline(always)]
                fn with_simd<S: pulp::Simd>(self, simd: S) -> Self::Output {
                    $body(simd, $(self.$argument),*)
                }
            }
            pulp::Arch::new().dispatch(Call { $($argument,)* lifetime: std::marker::PhantomData })
        }
    };
    (@result) => { () };
    (@result $result:ty) => { $result };
}
pub(crate) use dispatched;
