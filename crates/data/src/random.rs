//! Random order, the same on every machine, for every version of every library.
//!
//! The numbers are the output of BLAKE3 in extendable mode over (purpose, seed, epoch): a published function with
//! test vectors, so that a seed written down today names the same order for ever. It is counter-based: the order of
//! epoch 7 needs no walk through epochs 0 to 6.

/// Domain of this crate's randomness; a change of it changes every order.
const CONTEXT: &str = "weight-decay 2026 data order";

/// An endless stream of random numbers that depends on (purpose, seed, epoch), and on an index if there is one, alone.
pub(crate) struct RandomStream {
    reader: blake3::OutputReader,
    /// Whole BLAKE3 blocks at once: sixteen are computed side by side.
    buffer: [u8; 1024],
    used: usize,
}

impl RandomStream {
    pub(crate) fn new(purpose: &str, seed: u64, epoch: u64) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
        hasher.update(&seed.to_le_bytes());
        hasher.update(&epoch.to_le_bytes());
        hasher.update(purpose.as_bytes());
        Self::of(&hasher)
    }

    /// The stream of one of many items: what is drawn for it depends on no other.
    pub(crate) fn indexed(purpose: &str, seed: u64, epoch: u64, index: u64) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
        hasher.update(&seed.to_le_bytes());
        hasher.update(&epoch.to_le_bytes());
        hasher.update(purpose.as_bytes());
        hasher.update(&index.to_le_bytes());
        Self::of(&hasher)
    }

    fn of(hasher: &blake3::Hasher) -> Self {
        RandomStream { reader: hasher.finalize_xof(), buffer: [0; 1024], used: 1024 }
    }

    /// 64 random bits.
    pub(crate) fn next_u64(&mut self) -> u64 {
        if self.used == self.buffer.len() {
            self.reader.fill(&mut self.buffer);
            self.used = 0;
        }
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.buffer[self.used..self.used + 8]);
        self.used += 8;
        u64::from_le_bytes(bytes)
    }

    /// A number uniform on 0 … bound−1, exactly: Lemire, "Fast random integer generation in an interval" (2019).
    /// `bound` must not be 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(bound);
            if product as u64 >= threshold {
                return (product >> 64) as u64;
            }
        }
    }

    /// A number uniform on the multiples of 2⁻⁵² in −1 ≤ x < 1.
    fn signed_unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 52) as f64) - 1.0
    }

    /// A point uniform in the disk: an abscissa that is not 0, and the square of the distance from the centre.
    fn disk(&mut self) -> (f64, f64) {
        loop {
            let (x, y) = (self.signed_unit(), self.signed_unit());
            let square = x * x + y * y;
            if x != 0.0 && square <= 1.0 {
                return (x, square);
            }
        }
    }

    /// A number from N(0, 1), by the polar method of Marsaglia and Bray (1964); `libm`, since the logarithm of the
    /// system differs from one to the next.
    pub(crate) fn normal(&mut self) -> f64 {
        let (x, square) = self.disk();
        x * (-2.0 * libm::log(square) / square).sqrt()
    }

    /// A number from Beta(α, α), α > 0: from Student's t with 2α degrees of freedom, drawn by Bailey's polar method
    /// (Mathematics of Computation 62, 1994), as ½(1 + t/√(2α + t²)).
    pub(crate) fn symmetric_beta(&mut self, alpha: f64) -> f64 {
        let (x, square) = self.disk();
        // t² / 2α; infinite for small α, which gives 0 and 1.
        let ratio = (libm::pow(square, -1.0 / alpha) - 1.0) * (x * x / square);
        0.5 * (1.0 + (1.0 / (1.0 + 1.0 / ratio).sqrt()).copysign(x))
    }

    /// Puts `items` in a random order, each of the n! with the same probability (Fisher and Yates).
    pub(crate) fn shuffle(&mut self, items: &mut [u32]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last as u64 + 1) as usize;
            items.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shuffled(purpose: &str, seed: u64, epoch: u64, count: u32) -> Vec<u32> {
        let mut items: Vec<u32> = (0..count).collect();
        RandomStream::new(purpose, seed, epoch).shuffle(&mut items);
        items
    }

    /// Written down once: a run made elsewhere, or with a later version, must read its data in the same order.
    #[test]
    fn orders_are_the_same_for_ever() {
        assert_eq!(shuffled("windows", 0, 0, 12), [2, 8, 10, 7, 3, 0, 9, 5, 4, 11, 6, 1]);
        assert_eq!(shuffled("windows", 1, 7, 12), [11, 0, 10, 2, 9, 3, 4, 7, 1, 5, 8, 6]);
    }

    #[test]
    fn an_index_is_a_stream_of_its_own() {
        let first =
            |seed, epoch, index| RandomStream::indexed("test", seed, epoch, index).next_u64();
        let base = first(1, 2, 3);
        assert_eq!(base, first(1, 2, 3));
        assert!(![first(0, 2, 3), first(1, 0, 3), first(1, 2, 0)].contains(&base));
        assert_ne!(base, RandomStream::new("test", 1, 2).next_u64());
    }

    /// The greatest distance between a distribution and a sample of it (Kolmogorov and Smirnov), times √n.
    fn distance(mut sample: Vec<f64>, cumulative: impl Fn(f64) -> f64) -> f64 {
        sample.sort_by(f64::total_cmp);
        let count = sample.len() as f64;
        let gaps = sample.iter().enumerate().map(|(rank, &x)| {
            let expected = cumulative(x);
            (expected - rank as f64 / count).abs().max((expected - (rank + 1) as f64 / count).abs())
        });
        gaps.fold(0.0, f64::max) * count.sqrt()
    }

    // Above 1.95 with probability 1e-3.
    const LIMIT: f64 = 1.95;

    #[test]
    fn normal_numbers_are_normal() {
        let mut random = RandomStream::new("test", 5, 0);
        let sample: Vec<f64> = (0..20_000).map(|_| random.normal()).collect();
        let cumulative = |x: f64| 0.5 * libm::erfc(-x / std::f64::consts::SQRT_2);
        let found = distance(sample, cumulative);
        assert!(found < LIMIT, "{found}");
    }

    #[test]
    fn symmetric_beta_numbers_have_their_distribution() {
        let draw = |alpha: f64| -> Vec<f64> {
            let mut random = RandomStream::new("test", 6, alpha.to_bits());
            (0..20_000).map(|_| random.symmetric_beta(alpha)).collect()
        };
        // In closed form: arcsine, uniform, parabola.
        let arcsine = |x: f64| 2.0 / std::f64::consts::PI * x.sqrt().asin();
        for found in [
            distance(draw(0.5), arcsine),
            distance(draw(1.0), |x| x),
            distance(draw(2.0), |x| x * x * (3.0 - 2.0 * x)),
        ] {
            assert!(found < LIMIT, "{found}");
        }
        // Elsewhere by the second and fourth moments about ½.
        for alpha in [0.001, 0.05, 0.2, 0.4, 8.0] {
            let sample = draw(alpha);
            assert!(sample.iter().all(|x| (0.0..=1.0).contains(x)));
            let moment = |power: i32| {
                let powers = sample.iter().map(|x| (x - 0.5).powi(power));
                powers.sum::<f64>() / sample.len() as f64
            };
            let second = 0.25 / (2.0 * alpha + 1.0);
            let fourth = 3.0 / 16.0 / ((2.0 * alpha + 1.0) * (2.0 * alpha + 3.0));
            let error = ((fourth - second * second) / sample.len() as f64).sqrt();
            assert!((moment(2) - second).abs() < 4.0 * error, "{alpha}");
            assert!((moment(4) / fourth - 1.0).abs() < 0.05, "{alpha}");
            assert!(moment(1).abs() < 4.0 * (second / sample.len() as f64).sqrt());
        }
    }

    #[test]
    fn purpose_seed_and_epoch_each_change_the_order() {
        let base = shuffled("windows", 3, 5, 100);
        assert_ne!(base, shuffled("documents", 3, 5, 100));
        assert_ne!(base, shuffled("windows", 4, 5, 100));
        assert_ne!(base, shuffled("windows", 3, 6, 100));
    }

    /// χ² of the 24 orders of 4 items, over many epochs.
    #[test]
    fn every_order_is_equally_likely() {
        let epochs = 24_000;
        let mut counts = std::collections::BTreeMap::new();
        for epoch in 0..epochs {
            *counts.entry(shuffled("windows", 1, epoch, 4)).or_insert(0u32) += 1;
        }
        assert_eq!(counts.len(), 24);
        let expected = epochs as f64 / 24.0;
        let chi_squared: f64 =
            counts.values().map(|&n| (f64::from(n) - expected).powi(2) / expected).sum();
        // 23 degrees of freedom: above 49.7 with probability 1e-3.
        assert!(chi_squared < 49.7, "{chi_squared}");
    }

    proptest! {
        #[test]
        fn a_shuffle_is_a_permutation(seed: u64, epoch: u64, count in 0u32..500) {
            let mut items = shuffled("windows", seed, epoch, count);
            items.sort_unstable();
            prop_assert_eq!(items, (0..count).collect::<Vec<_>>());
        }

        #[test]
        fn numbers_stay_below_their_bound(seed: u64, bound in 1u64..) {
            let mut random = RandomStream::new("test", seed, 0);
            for _ in 0..20 {
                prop_assert!(random.below(bound) < bound);
            }
        }
    }
}
