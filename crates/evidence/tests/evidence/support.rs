//! Data for tests, drawn with a generator of its own so that they never change.

use wd_evidence::Mat;

/// SplitMix64 (Steele, Lea & Flood 2014).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// Uniform on (0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (((bits ^ (bits >> 31)) >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// Standard normal (Box & Muller 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        let (radius, angle) =
            ((-2.0 * self.uniform().ln()).sqrt(), 2.0 * std::f64::consts::PI * self.uniform());
        radius * angle.cos()
    }

    pub(crate) fn matrix(&mut self, rows: usize, columns: usize) -> Mat<f64> {
        Mat::from_fn(rows, columns, |_, _| self.normal())
    }
}

/// Columns with offsets and scales of their own, correlated; y = Xw + noise.
pub(crate) fn regression(
    seed: u64,
    rows: usize,
    columns: usize,
    noise: f64,
) -> (Mat<f64>, Mat<f64>) {
    let mut random = Random(seed);
    let base = random.matrix(rows, columns);
    let x = Mat::from_fn(rows, columns, |i, j| {
        let neighbour = if j > 0 { base[(i, j - 1)] } else { 0.0 };
        (base[(i, j)] + 0.7 * neighbour) * (1.0 + j as f64) + 3.0 * j as f64
    });
    let weights: Vec<f64> = (0..columns).map(|j| random.normal() / (1.0 + j as f64)).collect();
    let y = Mat::from_fn(rows, 1, |i, _| {
        5.0 + weights.iter().enumerate().map(|(j, w)| w * x[(i, j)]).sum::<f64>()
            + noise * random.normal()
    });
    (x, y)
}

/// |a − b| ≤ tolerance · max(|a|, |b|).
#[track_caller]
pub(crate) fn assert_close(a: f64, b: f64, tolerance: f64) {
    let scale = a.abs().max(b.abs());
    assert!(
        (a - b).abs() <= tolerance * scale,
        "{a} and {b} differ by {:e}, relatively",
        (a - b).abs() / scale
    );
}
