//! Random numbers that are not uniform, for noise and for mixup.

use crate::random::RandomStream;

impl RandomStream {
    /// A number uniform on the multiples of 2⁻⁵² in −1 ≤ x < 1.
    fn signed_unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 52) as f64) - 1.0
    }

    /// A point uniform in the disk: an abscissa that is not 0, and the square of the distance from
    /// the centre.
    fn disk(&mut self) -> (f64, f64) {
        loop {
            let (x, y) = (self.signed_unit(), self.signed_unit());
            let square = x * x + y * y;
            if x != 0.0 && square <= 1.0 {
                return (x, square);
            }
        }
    }

    /// A number from N(0, 1), by the polar method of Marsaglia and Bray (1964); `libm`, since the
    /// logarithm of the system differs from one to the next.
    pub(crate) fn normal(&mut self) -> f64 {
        let (x, square) = self.disk();
        x * (-2.0 * libm::log(square) / square).sqrt()
    }

    /// A number from Beta(α, α), α > 0: from Student's t with 2α degrees of freedom, drawn by
    /// Bailey's polar method (Mathematics of Computation 62, 1994), as ½(1 + t/√(2α + t²)).
    pub(crate) fn symmetric_beta(&mut self, alpha: f64) -> f64 {
        let (x, square) = self.disk();
        // t² / 2α; infinite for small α, which gives 0 and 1.
        let ratio = (libm::pow(square, -1.0 / alpha) - 1.0) * (x * x / square);
        0.5 * (1.0 + (1.0 / (1.0 + 1.0 / ratio).sqrt()).copysign(x))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The greatest distance between a distribution and a sample of it (Kolmogorov and Smirnov),
    /// times √n.
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
}
