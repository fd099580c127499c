//! Counter-based random numbers: the i-th number of a stream is a pure function of (seed, stream,
//! i).
//!
//! So a mask or an initial weight does not depend on the number of threads, on how a batch is cut
//! into micro-batches, or on what was drawn before. The function is SplitMix64 (Steele, Lea, Flood,
//! "Fast splittable pseudorandom number generators", OOPSLA 2014), whose state after i steps is
//! `key + i·γ` and can thus be entered anywhere.

/// SplitMix64's γ, the odd integer nearest 2⁶⁴/φ.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// SplitMix64's output function: a bijection of 64 bits in which every input bit changes half of
/// the output.
#[inline(always)]
const fn mix(mut state: u64) -> u64 {
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

/// FNV-1a hash of a name, to tell streams apart.
pub(crate) fn hash(name: &[u8]) -> u64 {
    name.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// One sequence of random numbers that can be read at any place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stream {
    key: u64,
}

impl Stream {
    /// The stream `name` under `seed`.
    pub(crate) fn new(seed: u64, name: u64) -> Self {
        Self { key: mix(mix(seed.wrapping_add(GAMMA)) ^ name) }
    }

    /// A stream within this one.
    pub(crate) fn within(self, name: u64) -> Self {
        Self::new(self.key, name)
    }

    /// 64 random bits.
    #[inline(always)]
    pub(crate) fn bits(self, index: u64) -> u64 {
        mix(self.key.wrapping_add(index.wrapping_add(1).wrapping_mul(GAMMA)))
    }

    /// A number in (0, 1], a multiple of 2⁻⁵³.
    fn uniform(self, index: u64) -> f64 {
        ((self.bits(index) >> 11) + 1) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Two independent standard normal numbers (Box–Muller).
    pub(crate) fn normal_pair(self, index: u64) -> [f64; 2] {
        let radius = (-2.0 * self.uniform(2 * index).ln()).sqrt();
        let (sine, cosine) = (std::f64::consts::TAU * self.uniform(2 * index + 1)).sin_cos();
        [radius * cosine, radius * sine]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_published_generator() {
        // First outputs of SplitMix64 seeded with 1234567, as listed in the reference
        // implementation's tests.
        let stream = Stream { key: 1_234_567 };
        assert_eq!(stream.bits(0), 6_457_827_717_110_365_317);
        assert_eq!(stream.bits(1), 3_203_168_211_198_807_973);
    }

    #[test]
    fn normals_have_the_moments_of_a_normal() {
        let stream = Stream::new(7, hash(b"test"));
        let draws: Vec<f64> = (0..50_000).flat_map(|pair| stream.normal_pair(pair)).collect();
        let moment =
            |power: i32| draws.iter().map(|x| x.powi(power)).sum::<f64>() / draws.len() as f64;
        // Five standard errors of each sample moment: √(Var xᵏ / n).
        let n = draws.len() as f64;
        assert!(moment(1).abs() < 5.0 / n.sqrt());
        assert!((moment(2) - 1.0).abs() < 5.0 * (2.0 / n).sqrt());
        assert!((moment(4) - 3.0).abs() < 5.0 * (96.0 / n).sqrt());
    }
}
