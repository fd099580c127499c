//! What must hold exactly, whatever the data.

use crate::support::{assert_close, regression};
use faer::linalg::solvers::Solve;
use faer::{Mat, MatRef, Side};
use wd_evidence::{Gaussian, Intercept, LeaveOneOut, Options, Statistics, Weights};

const INTERCEPTS: [Intercept; 3] = [Intercept::Absent, Intercept::Profiled, Intercept::Integrated];

fn options(intercept: Intercept) -> Options {
    Options { intercept, standardize: true, ..Options::default() }
}

/// X̃ and ỹ as the model should see them, made the plain way.
fn standardized(x: &Mat<f64>, y: &Mat<f64>, intercept: Intercept) -> (Mat<f64>, Mat<f64>) {
    let n = x.nrows() as f64;
    let moments = |m: &Mat<f64>, j: usize| {
        let mean = m.col(j).iter().sum::<f64>() / n;
        (mean, (m.col(j).iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt())
    };
    let centre = |mean: f64| {
        if intercept == Intercept::Absent { 0.0 } else { mean }
    };
    let x = Mat::from_fn(x.nrows(), x.ncols(), |i, j| {
        let (mean, scale) = moments(x, j);
        (x[(i, j)] - centre(mean)) / scale
    });
    let y = Mat::from_fn(y.nrows(), 1, |i, _| y[(i, 0)] - centre(moments(y, 0).0));
    (x, y)
}

#[test]
fn the_fixed_point_is_the_maximum_and_half_the_data_are_explained() {
    for (seed, (rows, columns)) in [(40, 6), (200, 20), (30, 29), (25, 60)].into_iter().enumerate()
    {
        for intercept in INTERCEPTS {
            let (x, y) = regression(seed as u64, rows, columns, 2.0);
            let model =
                Gaussian::from_rows(x.as_ref(), y.as_ref(), None, options(intercept)).unwrap();
            let evidence = model.evidence(0).unwrap();
            let best = evidence.maximum();
            let fixed = evidence.fixed_point(best.point.lambda * 3.0, 100_000).unwrap();
            assert!(
                (fixed.point.lambda / best.point.lambda).ln().abs() < 1e-9,
                "{rows}x{columns} {intercept:?}"
            );
            let alpha_e_w = 0.5 * fixed.alpha * best.point.squared_norm;
            let beta_e_d = 0.5 * fixed.beta * best.point.residual_sum_of_squares;
            assert_close(alpha_e_w + beta_e_d, 0.5 * evidence.degrees_of_freedom(), 1e-9);
            assert_close(fixed.alpha, best.point.alpha, 1e-9);
            assert_close(fixed.beta, best.point.beta, 1e-9);
        }
    }
}

#[test]
fn effective_parameters_are_the_trace_of_the_hat_matrix() {
    for (rows, columns) in [(40, 6), (20, 20), (15, 40)] {
        for intercept in INTERCEPTS {
            let (x, y) = regression(7, rows, columns, 1.0);
            let model =
                Gaussian::from_rows(x.as_ref(), y.as_ref(), None, options(intercept)).unwrap();
            let evidence = model.evidence(0).unwrap();
            let (x, _) = standardized(&x, &y, intercept);
            for lambda in [1e-2, 1.0, 30.0, 1e4] {
                let gram = x.transpose() * &x
                    + Mat::from_fn(columns, columns, |i, j| if i == j { lambda } else { 0.0 });
                let hat = &x * gram.llt(Side::Lower).unwrap().solve(x.transpose().to_owned());
                let trace: f64 = (0..rows).map(|i| hat[(i, i)]).sum();
                assert_close(evidence.at(lambda).effective_parameters, trace, 1e-10);
            }
        }
    }
}

#[test]
fn evidence_by_eigenvalues_equals_evidence_by_cholesky() {
    for intercept in INTERCEPTS {
        let (rows, columns) = (50, 8);
        let (x, y) = regression(3, rows, columns, 1.0);
        let model = Gaussian::from_rows(x.as_ref(), y.as_ref(), None, options(intercept)).unwrap();
        let evidence = model.evidence(0).unwrap();
        let (x, y) = standardized(&x, &y, intercept);
        for lambda in [1e-3, 0.5, 40.0] {
            let point = evidence.at(lambda);
            let (alpha, beta) = (point.alpha, point.beta);
            // ln N(y | 0, I/β + XXᵀ/α), and for the integrated intercept the factor that its
            // dimension leaves.
            let mut covariance = &x * x.transpose() * faer::Scale(1.0 / alpha);
            (0..rows).for_each(|i| covariance[(i, i)] += 1.0 / beta);
            let factor = covariance.llt(Side::Lower).unwrap();
            let log_determinant: f64 =
                2.0 * (0..rows).map(|i| factor.L()[(i, i)].ln()).sum::<f64>();
            let quadratic = (y.transpose() * factor.solve(&y))[(0, 0)];
            let two_pi = 2.0 * std::f64::consts::PI;
            let mut expected = -0.5 * (log_determinant + quadratic + rows as f64 * two_pi.ln());
            if intercept == Intercept::Integrated {
                expected += 0.5 * (two_pi / (beta * rows as f64)).ln();
            }
            assert_close(point.log_evidence, expected, 1e-11);
        }
    }
}

#[test]
fn the_dual_equals_the_primal() {
    for intercept in INTERCEPTS {
        for (rows, columns) in [(30, 10), (12, 12), (10, 25)] {
            let (x, y) = regression(11, rows, columns, 1.0);
            let weights: Vec<f64> = (0..rows).map(|i| 0.5 + (i % 3) as f64).collect();
            let mut statistics = Statistics::new(columns, 1).unwrap();
            statistics.add(x.as_ref(), y.as_ref(), Some(&weights)).unwrap();
            let primal = Gaussian::from_statistics(&statistics, options(intercept)).unwrap();
            let dual =
                Gaussian::dual(x.as_ref(), y.as_ref(), Some(&weights), options(intercept)).unwrap();
            for lambda in [0.0, 1e-2, 1.0, 1e3, f64::INFINITY] {
                let (a, b) = (primal.fit(0, lambda).unwrap(), dual.fit(0, lambda).unwrap());
                let norm = a.point.squared_norm.sqrt();
                for (a, b) in a.standardized_coefficients.iter().zip(&b.standardized_coefficients) {
                    assert!((a - b).abs() <= 1e-9 * norm, "{rows}x{columns} λ {lambda}: {a} {b}");
                }
                assert_close(a.point.effective_parameters, b.point.effective_parameters, 1e-10);
                if lambda > 0.0 {
                    assert_close(a.point.log_evidence, b.point.log_evidence, 1e-10);
                }
            }
        }
    }
}

#[test]
fn merged_statistics_equal_one_pass_in_any_order() {
    let (x, y) = regression(5, 1000, 7, 1.0);
    let weights: Vec<f64> =
        (0..1000).map(|i| if i % 10 == 0 { 0.0 } else { 1.0 + (i % 4) as f64 }).collect();
    let of = |start: usize, rows: usize| {
        let mut part = Statistics::new(7, 1).unwrap();
        part.add(
            x.as_ref().subrows(start, rows),
            y.as_ref().subrows(start, rows),
            Some(&weights[start..start + rows]),
        )
        .unwrap();
        part
    };
    let whole = of(0, 1000);
    let mut merged = of(900, 100);
    for (start, rows) in [(0, 1), (300, 600), (1, 299)] {
        merged.merge(&of(start, rows)).unwrap();
    }
    assert_eq!(merged.rows(), 900);
    assert_close(merged.weight(), whole.weight(), 1e-14);
    assert_close(merged.log_weight(), whole.log_weight(), 1e-12);
    for i in 0..8 {
        assert_close(merged.means()[i], whole.means()[i], 1e-13);
        for j in 0..=i {
            let scale = (whole.centred_product(i, i) * whole.centred_product(j, j)).sqrt();
            assert!(
                (merged.centred_product(i, j) - whole.centred_product(i, j)).abs() < 1e-13 * scale
            );
        }
    }
    let text = serde_json::to_string(&merged).unwrap();
    let read: Statistics = serde_json::from_str(&text).unwrap();
    assert_eq!(read.means(), merged.means());
    assert_eq!(read.centred_product(3, 1), merged.centred_product(3, 1));
}

#[test]
fn row_major_and_column_major_data_give_the_same() {
    let (x, y) = regression(9, 60, 5, 1.0);
    let flat: Vec<f64> =
        (0..60).flat_map(|i| (0..5).map(move |j| (i, j))).map(|at| x[at]).collect();
    let by_rows = MatRef::from_row_major_slice(&flat, 60, 5);
    let lambda = |x: MatRef<'_, f64>| {
        let model = Gaussian::from_rows(x, y.as_ref(), None, Options::default()).unwrap();
        model.evidence(0).unwrap().maximum().point.lambda
    };
    assert_eq!(lambda(by_rows), lambda(x.as_ref()));
}

/// ∫ exp(f) over an interval that holds all of it, by the trapezoidal rule, which errs by no more
/// than rounding for a Gaussian.
fn log_integral(centre: f64, half_width: f64, points: usize, f: impl Fn(f64) -> f64) -> f64 {
    let step = 2.0 * half_width / (points - 1) as f64;
    let values: Vec<f64> = (0..points).map(|i| f(centre - half_width + step * i as f64)).collect();
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = values.iter().map(|value| (value - largest).exp()).sum();
    largest + (sum * step).ln()
}

#[test]
fn evidence_of_one_column_equals_the_integral_over_its_weight() {
    let (x, y) = regression(21, 14, 1, 1.0);
    let weights: Vec<f64> = (0..14).map(|row| 0.5 + (row % 3) as f64).collect();
    let log_normal = |error: f64, precision: f64| {
        0.5 * (precision.ln() - (2.0 * std::f64::consts::PI).ln() - precision * error * error)
    };
    for intercept in INTERCEPTS {
        let options = Options { intercept, standardize: false, ..Options::default() };
        let model = Gaussian::from_rows(x.as_ref(), y.as_ref(), Some(&weights), options).unwrap();
        let evidence = model.evidence(0).unwrap();
        for lambda in [0.1, 3.0, 100.0] {
            let point = evidence.at(lambda);
            let (alpha, beta) = (point.alpha, point.beta);
            let fit = model.fit(0, lambda).unwrap();
            let slope = fit.coefficients[0];
            // x is centred where there is an intercept: its value is then that of ŷ at the mean.
            let centre = match intercept {
                Intercept::Absent => 0.0,
                _ => model.columns().means[0],
            };
            let at_mean = fit.intercept + slope * centre;
            let log_joint = |w: f64, b: f64| {
                let rows = (0..14).map(|i| {
                    let error = y[(i, 0)] - b - w * (x[(i, 0)] - centre);
                    log_normal(error, beta * weights[i])
                });
                rows.sum::<f64>() + log_normal(w, alpha)
            };
            // Twelve posterior deviations to either side; the likelihood alone gives a bound on
            // them.
            let squares: f64 = (0..14).map(|i| weights[i] * (x[(i, 0)] - centre).powi(2)).sum();
            let reach = 12.0 / (beta * squares + alpha).sqrt();
            let over_slope = |b: f64| log_integral(slope, reach, 201, |w| log_joint(w, b));
            let expected = match intercept {
                Intercept::Integrated => {
                    let reach = 12.0 / (beta * weights.iter().sum::<f64>()).sqrt();
                    log_integral(at_mean, reach, 201, over_slope)
                }
                Intercept::Profiled | Intercept::Absent => over_slope(at_mean),
            };
            assert_close(point.log_evidence, expected, 1e-11);
        }
    }
}

#[test]
fn several_targets_at_once_are_each_alone() {
    for (rows, columns) in [(40, 6), (25, 60)] {
        let (x, first) = regression(3, rows, columns, 2.0);
        let second = Mat::from_fn(rows, 1, |i, _| 0.3 * first[(i, 0)] - 2.0 * x[(i, 1)]);
        let both = Mat::from_fn(rows, 2, |i, k| [&first, &second][k][(i, 0)]);
        let weights: Vec<f64> = (0..rows).map(|i| 0.5 + (i % 3) as f64).collect();
        for intercept in INTERCEPTS {
            let fit = |y: &Mat<f64>| {
                Gaussian::from_rows(x.as_ref(), y.as_ref(), Some(&weights), options(intercept))
                    .unwrap()
            };
            let together = fit(&both);
            assert_eq!(together.targets(), 2);
            for (target, alone) in [fit(&first), fit(&second)].iter().enumerate() {
                let best = alone.evidence(0).unwrap().maximum().point;
                let found = together.evidence(target).unwrap().maximum().point;
                // Equal where there is no signal, or no noise: ∞ or 0.
                let is_same = found.lambda == best.lambda
                    || (found.lambda - best.lambda).abs() < 1e-9 * best.lambda;
                assert!(is_same, "{} and {}", found.lambda, best.lambda);
                for lambda in [1e-2, 1.0, 1e3] {
                    let (a, b) =
                        (together.fit(target, lambda).unwrap(), alone.fit(0, lambda).unwrap());
                    assert_close(a.point.log_evidence, b.point.log_evidence, 1e-11);
                    assert_close(a.intercept, b.intercept, 1e-9);
                    let size = b.point.squared_norm.sqrt();
                    let pairs =
                        a.standardized_coefficients.iter().zip(&b.standardized_coefficients);
                    pairs.for_each(|(a, b)| assert!((a - b).abs() < 1e-11 * size));
                }
                let row = x.as_ref().subrows(0, 1);
                let a = together.posterior(target, 1.0).unwrap();
                let b = alone.posterior(0, 1.0).unwrap();
                let (a, b) = (a.predict(row).unwrap(), b.predict(row).unwrap());
                assert_close(a[0].variance, b[0].variance, 1e-10);
            }
        }
    }
}

/// A row of weight k is k rows, by everything that counts rows: few columns and many, by sums and
/// by the dual.
#[test]
fn repeats_are_rows() {
    for (rows, columns) in [(40, 4), (12, 20)] {
        let (x, y) = regression(31, rows, columns, 1.0);
        let weights: Vec<f64> = (0..rows).map(|row| (row % 4) as f64).collect();
        let order: Vec<usize> =
            (0..rows).flat_map(|row| std::iter::repeat_n(row, row % 4)).collect();
        let repeated_x = Mat::from_fn(order.len(), columns, |i, j| x[(order[i], j)]);
        let repeated_y = Mat::from_fn(order.len(), 1, |i, _| y[(order[i], 0)]);
        for intercept in [Intercept::Absent, Intercept::Profiled, Intercept::Integrated] {
            let options = Options { weights: Weights::Repeats, ..options(intercept) };
            let weighted =
                Gaussian::from_rows(x.as_ref(), y.as_ref(), Some(&weights), options).unwrap();
            let repeated =
                Gaussian::from_rows(repeated_x.as_ref(), repeated_y.as_ref(), None, options)
                    .unwrap();
            assert_close(weighted.rows(), repeated.rows(), 1e-12);
            let lambdas = [0.3, 5.0, 80.0];
            let (a, b) = (weighted.evidence(0).unwrap(), repeated.evidence(0).unwrap());
            for (a, b) in a.path(&lambdas).iter().zip(b.path(&lambdas)) {
                assert_close(a.log_evidence, b.log_evidence, 1e-8);
                assert_close(a.effective_parameters, b.effective_parameters, 1e-8);
                assert_close(a.generalized_cross_validation, b.generalized_cross_validation, 1e-7);
            }
            let left_out = |model: &Gaussian, x: &Mat<f64>, y: &Mat<f64>, weights| {
                let mut errors = LeaveOneOut::new(model, 0, &lambdas).unwrap();
                errors.add(x.as_ref(), y.as_ref(), weights).unwrap();
                errors.mean_squared_errors()
            };
            let found = left_out(&weighted, &x, &y, Some(&weights[..]));
            let expected = left_out(&repeated, &repeated_x, &repeated_y, None);
            for (found, expected) in found.iter().zip(&expected) {
                assert_close(*found, *expected, 1e-7);
            }
        }
    }
}
