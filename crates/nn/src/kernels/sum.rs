//! Adding one slice to another.

use pulp::Simd;

use crate::Float;
use crate::simd::{Vector, dispatched, for_groups};

dispatched! {
    /// sum += x.
    pub(crate) fn add = add_body(sum: &'a mut [F], x: &'a [F])
}

#[inline(always)]
fn add_body<F: Float, S: Simd>(simd: S, sum: &mut [F], x: &[F]) {
    let len = sum.len();
    let x = &x[..len];
    for_groups!(Vector::<F, S>::LANES, len, |group| {
        (Vector::load(simd, sum, group) + Vector::load(simd, x, group)).store(sum, group);
    });
}
