//! Sums over one block of elements.

use super::element::{Element, Number, Wide};

/// Partial sums that run side by side: two registers of AVX-512 or four of AVX2.
const LANES: usize = 32;

/// Below this largest magnitude, squares come near the smallest numbers that f32 holds.
const SMALLEST: f64 = 1e-15;

/// Sums over the elements of one tensor.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Sums {
    pub(super) squares: f64,
    pub(super) magnitudes: f64,
    pub(super) largest: f64,
    pub(super) non_finite: usize,
}

impl Sums {
    pub(super) fn add(&mut self, other: Sums) {
        self.squares += other.squares;
        self.magnitudes += other.magnitudes;
        self.largest = self.largest.max(other.largest);
        self.non_finite += other.non_finite;
    }
}

/// Sums over the pairs of two tensors.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct PairSums {
    pub(super) first: f64,
    pub(super) second: f64,
    pub(super) product: f64,
    pub(super) non_finite: usize,
}

impl PairSums {
    pub(super) fn add(&mut self, other: PairSums) {
        self.first += other.first;
        self.second += other.second;
        self.product += other.product;
        self.non_finite += other.non_finite;
    }
}

/// Sums over a block, in lanes where that is exact enough.
#[inline(always)]
pub(super) fn sums<E: Element>(block: &[E::Raw]) -> Sums {
    if !E::can_read_quickly(block) {
        return sums_with_care::<E>(block);
    }
    let quick = lanes::<E>(block);
    if quick.squares.is_finite() && (quick.largest >= SMALLEST || quick.largest == 0.0) {
        return quick;
    }
    sums_with_care::<E>(block)
}

/// Sums in f64; elements that are not finite are counted and left out.
#[cold]
#[inline(never)]
fn sums_with_care<E: Element>(block: &[E::Raw]) -> Sums {
    let wide = lanes::<Wide<E>>(block);
    if wide.squares.is_finite() {
        return wide;
    }
    let mut sums = Sums::default();
    for &raw in block {
        let number: f64 = E::read(raw).into();
        if number.is_finite() {
            sums.squares += number * number;
            sums.magnitudes += number.abs();
            sums.largest = sums.largest.max(number.abs());
        } else {
            sums.non_finite += 1;
        }
    }
    sums
}

#[inline(always)]
fn lanes<E: Element>(block: &[E::Raw]) -> Sums {
    let mut squares = [E::Number::default(); LANES];
    let mut magnitudes = [E::Number::default(); LANES];
    let mut largest = [E::Number::default(); LANES];
    let (groups, rest) = block.as_chunks::<LANES>();
    for group in groups {
        for lane in 0..LANES {
            let number = E::read_quickly(group[lane]);
            let magnitude = number.magnitude();
            squares[lane] += number * number;
            magnitudes[lane] += magnitude;
            largest[lane] = if magnitude > largest[lane] { magnitude } else { largest[lane] };
        }
    }
    for (lane, &raw) in rest.iter().enumerate() {
        let number = E::read_quickly(raw);
        let magnitude = number.magnitude();
        squares[lane] += number * number;
        magnitudes[lane] += magnitude;
        largest[lane] = if magnitude > largest[lane] { magnitude } else { largest[lane] };
    }
    Sums {
        squares: total(squares),
        magnitudes: total(magnitudes),
        largest: largest.into_iter().map(Into::into).fold(0.0, f64::max),
        non_finite: 0,
    }
}

/// Sums over a block of pairs, in lanes where that is exact enough.
#[inline(always)]
pub(super) fn pair_sums<E: Element, F>(first: &[E::Raw], second: &[F::Raw]) -> PairSums
where
    F: Element<Number = E::Number>,
{
    if !E::can_read_quickly(first) || !F::can_read_quickly(second) {
        return pair_sums_with_care::<E, F>(first, second);
    }
    let quick = pair_lanes::<E, F>(first, second);
    // A sum of zero may be one of squares too small for f32.
    let is_in_range = |squares: f64| squares >= SMALLEST * SMALLEST;
    let is_finite = (quick.first + quick.second + quick.product).is_finite();
    if is_finite && is_in_range(quick.first) && is_in_range(quick.second) {
        return quick;
    }
    pair_sums_with_care::<E, F>(first, second)
}

/// Sums in f64; pairs that are not finite are counted and left out.
#[cold]
#[inline(never)]
fn pair_sums_with_care<E: Element, F: Element>(first: &[E::Raw], second: &[F::Raw]) -> PairSums {
    let wide = pair_lanes::<Wide<E>, Wide<F>>(first, second);
    if (wide.first + wide.second + wide.product).is_finite() {
        return wide;
    }
    let mut sums = PairSums::default();
    for (&first, &second) in first.iter().zip(second) {
        let (x, y): (f64, f64) = (E::read(first).into(), F::read(second).into());
        if x.is_finite() && y.is_finite() {
            sums.first += x * x;
            sums.second += y * y;
            sums.product += x * y;
        } else {
            sums.non_finite += 1;
        }
    }
    sums
}

#[inline(always)]
fn pair_lanes<E: Element, F>(first: &[E::Raw], second: &[F::Raw]) -> PairSums
where
    F: Element<Number = E::Number>,
{
    let mut sums = [[E::Number::default(); LANES]; 3];
    let (first_groups, first_rest) = first.as_chunks::<LANES>();
    let (second_groups, second_rest) = second.as_chunks::<LANES>();
    for (first, second) in first_groups.iter().zip(second_groups) {
        for lane in 0..LANES {
            let (x, y) = (E::read_quickly(first[lane]), F::read_quickly(second[lane]));
            sums[0][lane] += x * x;
            sums[1][lane] += y * y;
            sums[2][lane] += x * y;
        }
    }
    for (lane, (&first, &second)) in first_rest.iter().zip(second_rest).enumerate() {
        let (x, y) = (E::read_quickly(first), F::read_quickly(second));
        sums[0][lane] += x * x;
        sums[1][lane] += y * y;
        sums[2][lane] += x * y;
    }
    let [first, second, product] = sums.map(total);
    PairSums { first, second, product, non_finite: 0 }
}

#[inline(always)]
fn total<N: Number>(lanes: [N; LANES]) -> f64 {
    lanes.into_iter().map(Into::into).sum()
}
