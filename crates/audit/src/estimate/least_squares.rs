//! Least squares on a few regressors, with standard errors that hold when the noise differs from
//! element to element, as rounding noise does: it grows with the number rounded.
//!
//! y = Xc + e, ĉ = (XᵀX)⁻¹Xᵀy, Cov ĉ = (XᵀX)⁻¹ (Σ xᵢxᵢᵀeᵢ²) (XᵀX)⁻¹ · n/(n − N) (White 1980, with
//! MacKinnon and White's HC1 correction). The second sum needs ĉ, so data is gone through twice.

/// XᵀX, Xᵀy and yᵀy.
#[derive(Debug, Clone)]
pub(crate) struct Equations<const N: usize> {
    regressors: [[f64; N]; N],
    response: [f64; N],
    /// yᵀy.
    pub(crate) total: f64,
    /// n.
    pub(crate) count: usize,
}

/// ĉ, ready for the second pass.
#[derive(Debug, Clone)]
pub(crate) struct Solution<const N: usize> {
    /// ĉ.
    pub(crate) coefficients: [f64; N],
    inverse: [[f64; N]; N],
    meat: [[f64; N]; N],
    /// Σe².
    pub(crate) residual: f64,
    count: usize,
}

impl<const N: usize> Default for Equations<N> {
    fn default() -> Self {
        Equations { regressors: [[0.0; N]; N], response: [0.0; N], total: 0.0, count: 0 }
    }
}

impl<const N: usize> Equations<N> {
    /// Adds an observation, unless it is not finite. Returns whether it was added.
    pub(crate) fn add(&mut self, regressors: [f64; N], response: f64) -> bool {
        if !(response.is_finite() && regressors.iter().all(|x| x.is_finite())) {
            return false;
        }
        for (row, x) in self.regressors.iter_mut().zip(regressors) {
            for (sum, y) in row.iter_mut().zip(regressors) {
                *sum += x * y;
            }
        }
        for (sum, x) in self.response.iter_mut().zip(regressors) {
            *sum += x * response;
        }
        self.total += response * response;
        self.count += 1;
        true
    }

    /// The cosine of two regressors.
    pub(crate) fn cosine(&self, first: usize, second: usize) -> f64 {
        let norms = self.regressors[first][first] * self.regressors[second][second];
        if norms > 0.0 { self.regressors[first][second] / norms.sqrt() } else { 0.0 }
    }

    /// ‖x‖² of a regressor.
    pub(crate) fn square(&self, regressor: usize) -> f64 {
        self.regressors[regressor][regressor]
    }

    /// ĉᵀXᵀy, the part of yᵀy that is explained.
    pub(crate) fn explained(&self, solution: &Solution<N>) -> f64 {
        solution.coefficients.iter().zip(self.response).map(|(c, y)| c * y).sum()
    }

    /// ĉ; nothing where regressors depend on each other or observations are too few.
    pub(crate) fn solve(&self) -> Option<Solution<N>> {
        if self.count <= N {
            return None;
        }
        let inverse = inverse(self.regressors)?;
        let coefficients =
            inverse.map(|row| row.iter().zip(self.response).map(|(a, b)| a * b).sum());
        let meat = [[0.0; N]; N];
        Some(Solution { coefficients, inverse, meat, residual: 0.0, count: self.count })
    }
}

impl<const N: usize> Solution<N> {
    /// Goes over an observation for the second time. The same ones must be added as before.
    pub(crate) fn add(&mut self, regressors: [f64; N], response: f64) {
        if !(response.is_finite() && regressors.iter().all(|x| x.is_finite())) {
            return;
        }
        let fitted: f64 = self.coefficients.iter().zip(regressors).map(|(c, x)| c * x).sum();
        self.add_square(regressors, (response - fitted).powi(2));
    }

    /// The same with the square of the noise as it is expected to be.
    pub(crate) fn add_square(&mut self, regressors: [f64; N], square: f64) {
        for (row, x) in self.meat.iter_mut().zip(regressors) {
            for (sum, y) in row.iter_mut().zip(regressors) {
                *sum += x * y * square;
            }
        }
        self.residual += square;
    }

    /// Cov ĉ.
    pub(crate) fn covariance(&self) -> [[f64; N]; N] {
        let correction = self.count as f64 / (self.count - N) as f64;
        let product = multiply(&multiply(&self.inverse, &self.meat), &self.inverse);
        product.map(|row| row.map(|x| x * correction))
    }

    /// The variance of a combination g·ĉ.
    pub(crate) fn variance(&self, gradient: [f64; N]) -> f64 {
        let covariance = self.covariance();
        let rows = covariance.iter().zip(gradient);
        rows.map(|(row, g)| g * row.iter().zip(gradient).map(|(c, h)| c * h).sum::<f64>())
            .sum::<f64>()
            .max(0.0)
    }
}

fn multiply<const N: usize>(first: &[[f64; N]; N], second: &[[f64; N]; N]) -> [[f64; N]; N] {
    let mut product = [[0.0; N]; N];
    for (row, sums) in first.iter().zip(&mut product) {
        for (x, other) in row.iter().zip(second) {
            for (sum, y) in sums.iter_mut().zip(other) {
                *sum += x * y;
            }
        }
    }
    product
}

/// The inverse of a positive definite matrix, by elimination after scaling to a unit diagonal.
fn inverse<const N: usize>(matrix: [[f64; N]; N]) -> Option<[[f64; N]; N]> {
    // Below this share of a regressor is its own; the rest others explain.
    const SMALLEST_PIVOT: f64 = 1e-10;
    let mut scale = [0.0; N];
    for at in 0..N {
        scale[at] = matrix[at][at].sqrt().recip();
        if !scale[at].is_finite() {
            return None;
        }
    }
    let mut left = matrix;
    let mut right = [[0.0; N]; N];
    for row in 0..N {
        for column in 0..N {
            left[row][column] *= scale[row] * scale[column];
        }
        right[row][row] = 1.0;
    }
    for pivot in 0..N {
        let size = left[pivot][pivot];
        if size.is_nan() || size < SMALLEST_PIVOT {
            return None;
        }
        for column in 0..N {
            left[pivot][column] /= size;
            right[pivot][column] /= size;
        }
        for row in (0..N).filter(|&row| row != pivot) {
            let factor = left[row][pivot];
            for column in 0..N {
                left[row][column] -= factor * left[pivot][column];
                right[row][column] -= factor * right[pivot][column];
            }
        }
    }
    for row in 0..N {
        for column in 0..N {
            right[row][column] *= scale[row] * scale[column];
        }
    }
    Some(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plane_is_found_exactly_and_without_error() {
        let points = [[1.0, 2.0, 0.5], [2.0, -1.0, 1.0], [0.0, 3.0, -2.0], [4.0, 1.0, 1.0]];
        let response = |x: [f64; 3]| 2.0 * x[0] - 3.0 * x[1] + 0.25 * x[2];
        let mut equations = Equations::<3>::default();
        points.iter().for_each(|&x| assert!(equations.add(x, response(x))));
        assert!(!equations.add([f64::NAN, 0.0, 0.0], 1.0));
        let mut solution = equations.solve().unwrap();
        points.iter().for_each(|&x| solution.add(x, response(x)));
        for (found, truth) in solution.coefficients.iter().zip([2.0, -3.0, 0.25]) {
            assert!((found - truth).abs() < 1e-12);
        }
        assert!(solution.residual < 1e-24 && solution.variance([1.0, 0.0, 0.0]) < 1e-20);
    }

    #[test]
    fn regressors_that_depend_on_each_other_have_no_solution() {
        let mut equations = Equations::<2>::default();
        for x in 1..10 {
            equations.add([f64::from(x), 2.0 * f64::from(x)], 1.0);
        }
        assert!(equations.solve().is_none());
    }

    /// With one regressor: Var ĉ = Σx²e²/(Σx²)² · n/(n − 1).
    #[test]
    fn the_variance_is_that_of_white() {
        let (x, y) = ([1.0, 2.0, 3.0], [1.0, 0.0, 2.0]);
        let mut equations = Equations::<1>::default();
        x.iter().zip(y).for_each(|(&x, y)| assert!(equations.add([x], y)));
        let mut solution = equations.solve().unwrap();
        x.iter().zip(y).for_each(|(&x, y)| solution.add([x], y));
        let slope = 7.0 / 14.0;
        let meat: f64 = x.iter().zip(y).map(|(x, y)| (x * (y - slope * x)).powi(2)).sum();
        assert!((solution.variance([1.0]) - meat / 196.0 * 1.5).abs() < 1e-15);
    }
}
