//! Eigenvalues of a tridiagonal matrix, and given vectors in its eigenvectors, without forming
//! these: O(p²).
//!
//! The implicit QL iteration with Wilkinson's shift diagonalises T by plane rotations. Applied to
//! the columns of the identity they would give the eigenvectors in O(p³); applied to one vector u
//! they give Vᵀu (Golub & Welsch, “Calculation of Gauss quadrature rules”, Math. Comp. 23, 1969,
//! which keeps one row of V in the same way).

use crate::EvidenceError;

/// Iterations an eigenvalue may take. LAPACK's `dsteqr` allows 30 on average.
const ITERATIONS: usize = 60;

/// Eigenvalues of T in descending order, and each of `vectors` in the eigenvectors.
///
/// `off_diagonal[i]` joins i and i + 1.
///
/// # Errors
/// [`EvidenceError::NotConverged`], which no finite matrix is known to cause.
pub(super) fn diagonalize(
    mut diagonal: Vec<f64>,
    mut off_diagonal: Vec<f64>,
    vectors: &mut [Vec<f64>],
) -> Result<Vec<f64>, EvidenceError> {
    let p = diagonal.len();
    for first in 0..p {
        let mut iterations = 0;
        loop {
            // The block from `first` ends where an off-diagonal element is nothing beside its
            // neighbours.
            let last = (first..p.saturating_sub(1))
                .find(|&i| {
                    off_diagonal[i].abs()
                        <= f64::EPSILON * (diagonal[i].abs() + diagonal[i + 1].abs())
                })
                .unwrap_or(p - 1);
            if last == first {
                break;
            }
            iterations += 1;
            if iterations > ITERATIONS {
                return Err(EvidenceError::NotConverged {
                    what: "the eigenvalues",
                    iterations,
                    hint: "",
                });
            }
            sweep(&mut diagonal, &mut off_diagonal, vectors, first, last);
        }
    }
    let mut order: Vec<usize> = (0..p).collect();
    order.sort_by(|&a, &b| diagonal[b].total_cmp(&diagonal[a]));
    for vector in vectors.iter_mut() {
        *vector = order.iter().map(|&i| vector[i]).collect();
    }
    Ok(order.iter().map(|&i| diagonal[i]).collect())
}

/// One QL step on the block `first..=last`: rotations from the bottom up chase the bulge that the
/// shift makes.
fn sweep(
    diagonal: &mut [f64],
    off_diagonal: &mut [f64],
    vectors: &mut [Vec<f64>],
    first: usize,
    last: usize,
) {
    // Wilkinson's shift: the eigenvalue of the upper 2 × 2 block that is nearer to its corner.
    let half_gap = (diagonal[first + 1] - diagonal[first]) / (2.0 * off_diagonal[first]);
    let away = half_gap + length(half_gap, 1.0).copysign(half_gap);
    let shift = diagonal[first] - off_diagonal[first] / away;

    let (mut sine, mut cosine) = (1.0, 1.0);
    let mut carried = 0.0;
    let mut lead = diagonal[last] - shift;
    for i in (first..last).rev() {
        let bulge = sine * off_diagonal[i];
        let beside = cosine * off_diagonal[i];
        let norm = length(bulge, lead);
        if i + 1 < last {
            off_diagonal[i + 1] = norm;
        }
        if norm == 0.0 {
            // The block has split of itself.
            diagonal[i + 1] -= carried;
            return;
        }
        (sine, cosine) = (bulge / norm, lead / norm);
        let kept = diagonal[i + 1] - carried;
        let turned = (diagonal[i] - kept) * sine + 2.0 * cosine * beside;
        carried = sine * turned;
        diagonal[i + 1] = kept + carried;
        lead = cosine * turned - beside;
        for vector in vectors.iter_mut() {
            let (upper, lower) = (vector[i], vector[i + 1]);
            vector[i + 1] = sine * upper + cosine * lower;
            vector[i] = cosine * upper - sine * lower;
        }
    }
    diagonal[first] -= carried;
    off_diagonal[first] = lead;
}

/// √(a² + b²): plainly where the squares hold, since `hypot` is several times slower.
fn length(a: f64, b: f64) -> f64 {
    let squares = a * a + b * b;
    if (1e-280..1e280).contains(&squares) { squares.sqrt() } else { a.hypot(b) }
}

#[cfg(test)]
mod tests {
    use faer::{Mat, Side};

    use super::*;

    #[test]
    fn equals_the_full_eigendecomposition() {
        let p = 40;
        let diagonal: Vec<f64> = (0..p).map(|i| ((i * 37) % 11) as f64 + 0.5).collect();
        let off_diagonal: Vec<f64> =
            (0..p - 1).map(|i| if i == 17 { 0.0 } else { ((i * 13) % 7) as f64 - 2.0 }).collect();
        let vector: Vec<f64> = (0..p).map(|i| (i as f64).sin()).collect();
        let dense = Mat::from_fn(p, p, |i, j| match i.abs_diff(j) {
            0 => diagonal[i],
            1 => off_diagonal[i.min(j)],
            _ => 0.0,
        });
        let full = dense.self_adjoint_eigen(Side::Lower).expect("a finite symmetric matrix");

        let mut vectors = [vector.clone()];
        let eigenvalues = diagonalize(diagonal, off_diagonal, &mut vectors).expect("converges");
        for i in 0..p {
            let ascending = p - 1 - i;
            assert!((eigenvalues[i] - full.S()[ascending]).abs() < 1e-13 * eigenvalues[0]);
            let projection: f64 = (0..p).map(|row| full.U()[(row, ascending)] * vector[row]).sum();
            assert!((vectors[0][i].abs() - projection.abs()).abs() < 1e-12, "{i}");
        }
    }

    #[test]
    fn keeps_lengths_and_splits() {
        let mut vectors = [vec![3.0, 4.0, 12.0]];
        let eigenvalues = diagonalize(vec![1.0, 1.0, 1.0], vec![0.0, 0.0], &mut vectors)
            .expect("already diagonal");
        assert_eq!(eigenvalues, [1.0; 3]);
        assert_eq!(vectors[0], [3.0, 4.0, 12.0]);
        assert!(diagonalize(Vec::new(), Vec::new(), &mut []).expect("nothing to do").is_empty());
    }
}
