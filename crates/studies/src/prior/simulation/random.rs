//! Numbers that a seed fixes.

/// SplitMix64 (Steele, Lea & Flood 2014), and normal numbers by Box & Muller (1958).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In (0, 1]: its logarithm is finite.
    fn uniform(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1u64 << 53) as f64
    }

    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// All of 0..count in random order (Fisher & Yates).
    pub(super) fn order(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for last in (1..count).rev() {
            // The bias of the remainder is below count/2⁶⁴.
            order.swap(last, (self.next() % (last as u64 + 1)) as usize);
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_normal_and_orders_are_permutations() {
        let mut random = Random::new(7);
        let values: Vec<f64> = (0..40_000).map(|_| random.normal()).collect();
        let moment = |power: i32| values.iter().map(|x| x.powi(power)).sum::<f64>() / 40_000.0;
        // Five standard errors of each moment: √(1, 2, 96)/200.
        assert!(moment(1).abs() < 0.025);
        assert!((moment(2) - 1.0).abs() < 0.036);
        assert!((moment(4) - 3.0).abs() < 0.25);
        let mut order = random.order(50);
        assert_ne!(order, (0..50).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..50).collect::<Vec<_>>());
        // The first output of the reference implementation with this seed.
        assert_eq!(Random::new(1_234_567).next(), 6_457_827_717_110_365_317);
    }
}
