//! Dropout: elements are zeroed with probability p and the others divided by 1 − p.
//!
//! Its own backward: the gradient goes through the same mask, which is not stored but drawn again.

use pulp::Simd;

use crate::Float;
use crate::random::Stream;
use crate::simd::dispatched;

/// A mask over any number of elements, drawn from a counter-based stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mask {
    stream: Stream,
    /// An element whose 32 random bits lie below is dropped.
    threshold: u32,
    /// 1/(1 − p).
    scale: f64,
}

impl Mask {
    /// The mask of `stream` with dropping probability `probability` < 1.
    pub(crate) fn new(stream: Stream, probability: f64) -> Self {
        let threshold = (probability * f64::from(u32::MAX)).round() as u32;
        Self { stream, threshold, scale: 1.0 / (1.0 - probability) }
    }

    /// What element `index` is multiplied by: 0 or 1/(1 − p).
    #[inline(always)]
    fn factor(self, index: u64) -> f64 {
        if (self.stream.bits(index) >> 32) as u32 >= self.threshold { self.scale } else { 0.0 }
    }
}

dispatched! {
    /// values ∘= mask; the first value is element `first` of the mask.
    pub(crate) fn apply = apply_body(values: &'a mut [F], mask: Mask, first: u64)
}

#[inline(always)]
fn apply_body<F: Float, S: Simd>(_: S, values: &mut [F], mask: Mask, first: u64) {
    for (index, value) in values.iter_mut().enumerate() {
        *value *= F::from_f64(mask.factor(first + index as u64));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_mean_and_drops_the_asked_fraction() {
        let mut values = vec![1.0f64; 200_000];
        apply(&mut values, Mask::new(Stream::new(3, 5), 0.2), 0);
        let (n, dropped) =
            (values.len() as f64, values.iter().filter(|value| **value == 0.0).count() as f64);
        // Five standard errors of a binomial fraction, and of the mean of a value that is 0 or
        // 1.25.
        assert!((dropped / n - 0.2).abs() < 5.0 * (0.2f64 * 0.8 / n).sqrt());
        assert!((values.iter().sum::<f64>() / n - 1.0).abs() < 5.0 * (0.25 / n).sqrt());
    }

    #[test]
    fn a_part_of_the_mask_equals_that_part_of_the_whole() {
        let mask = Mask::new(Stream::new(1, 2), 0.5);
        let (mut whole, mut part) = (vec![1.0f32; 100], vec![1.0f32; 40]);
        apply(&mut whole, mask, 0);
        apply(&mut part, mask, 60);
        assert_eq!(whole[60..], part[..]);
    }
}
