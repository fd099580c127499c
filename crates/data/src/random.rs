//! Random order, the same on every machine, for every version of every library.
//!
//! The numbers are the output of BLAKE3 in extendable mode over (purpose, seed, epoch): a published
//! function with test vectors, so that a seed written down today names the same order for ever. It
//! is counter-based: the order of epoch 7 needs no walk through epochs 0 to 6.

/// Domain of this crate's randomness; a change of it changes every order.
const CONTEXT: &str = "weight-decay 2026 data order";

/// An endless stream of random numbers that depends on (purpose, seed, epoch), and on an index if
/// there is one, alone.
pub(crate) struct RandomStream {
    reader: blake3::OutputReader,
    /// Whole BLAKE3 blocks at once: sixteen are computed side by side.
    buffer: [u8; 1024],
    used: usize,
}

impl RandomStream {
    pub(crate) fn new(purpose: &str, seed: u64, epoch: u64) -> Self {
        Self::of(purpose, seed, epoch, &[])
    }

    /// The stream of one of many items: what is drawn for it depends on no other.
    #[cfg(feature = "images")]
    pub(crate) fn indexed(purpose: &str, seed: u64, epoch: u64, index: u64) -> Self {
        Self::of(purpose, seed, epoch, &index.to_le_bytes())
    }

    fn of(purpose: &str, seed: u64, epoch: u64, index: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
        for part in [&seed.to_le_bytes(), &epoch.to_le_bytes(), purpose.as_bytes(), index] {
            hasher.update(part);
        }
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

    /// A number uniform on 0 … bound−1, exactly: Lemire, "Fast random integer generation in an
    /// interval" (2019). `bound` must not be 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(bound);
            if product as u64 >= threshold {
                return (product >> 64) as u64;
            }
        }
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

    /// Written down once: a run made elsewhere, or with a later version, must read its data in the
    /// same order.
    #[test]
    fn orders_are_the_same_for_ever() {
        assert_eq!(shuffled("windows", 0, 0, 12), [2, 8, 10, 7, 3, 0, 9, 5, 4, 11, 6, 1]);
        assert_eq!(shuffled("windows", 1, 7, 12), [11, 0, 10, 2, 9, 3, 4, 7, 1, 5, 8, 6]);
    }

    #[cfg(feature = "images")]
    #[test]
    fn an_index_is_a_stream_of_its_own() {
        let first =
            |seed, epoch, index| RandomStream::indexed("test", seed, epoch, index).next_u64();
        let base = first(1, 2, 3);
        assert_eq!(base, first(1, 2, 3));
        assert!(![first(0, 2, 3), first(1, 0, 3), first(1, 2, 0)].contains(&base));
        assert_ne!(base, RandomStream::new("test", 1, 2).next_u64());
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
