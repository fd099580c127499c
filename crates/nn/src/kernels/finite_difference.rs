//! Checks of backward kernels: gradients against central differences of the forward, in f64.

use crate::random::Stream;

/// `len` standard normal numbers.
pub(crate) fn normals(seed: u64, len: usize) -> Vec<f64> {
    let stream = Stream::new(seed, 1);
    (0..len.div_ceil(2) as u64).flat_map(|pair| stream.normal_pair(pair)).take(len).collect()
}

/// Σ a·b.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Asserts that `gradient` is that of `loss` at `x`: along every coordinate of a short `x`, and
/// along random directions, in which an error of any one element shows.
pub(crate) fn assert_gradient(
    what: &str,
    x: &[f64],
    gradient: &[f64],
    mut loss: impl FnMut(&[f64]) -> f64,
) {
    assert_eq!(x.len(), gradient.len(), "{what}");
    let mut directions: Vec<Vec<f64>> = (0..4).map(|seed| normals(1000 + seed, x.len())).collect();
    if x.len() <= 100 {
        let unit =
            |index| (0..x.len()).map(|other| if other == index { 1.0 } else { 0.0 }).collect();
        directions.extend((0..x.len()).map(unit));
    }
    let scale = dot(gradient, gradient).sqrt();
    assert!(scale > 0.0 && scale.is_finite(), "{what}: a gradient of norm {scale} checks nothing");
    let step = 1e-5;
    for direction in directions {
        let mut at = |distance: f64| {
            let moved: Vec<f64> = x.iter().zip(&direction).map(|(x, d)| x + distance * d).collect();
            loss(&moved)
        };
        // Fourth order: truncation 1e-20, rounding 1e-11.
        let difference =
            (8.0 * (at(step) - at(-step)) - (at(2.0 * step) - at(-2.0 * step))) / (12.0 * step);
        let expected = dot(gradient, &direction);
        let tolerance = 1e-7 * scale * dot(&direction, &direction).sqrt();
        assert!(
            (difference - expected).abs() <= tolerance,
            "{what}: difference {difference}, gradient {expected}"
        );
    }
}
