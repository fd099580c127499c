//! Laplace's evidence against numerical integration, its slope against finite differences, and
//! difficult labels.

use crate::support::{Random, assert_close};
use crate::tables::{split, table};
use faer::Mat;
use wd_evidence::{EvidenceError, Family, Glm, GlmPosterior, GlmRows, Intercept, Options, Outcome};

/// x and labels of a family, drawn from the model itself with weights of standard deviation
/// `sigma`.
fn draw(
    seed: u64,
    family: Family,
    rows: usize,
    columns: usize,
    sigma: f64,
) -> (Mat<f64>, Vec<f64>) {
    let mut random = Random(seed);
    let x = random.matrix(rows, columns);
    let weights = Mat::from_fn(columns, family.outputs(), |_, _| sigma * random.normal());
    let y = (0..rows)
        .map(|i| {
            let eta = |k: usize| (0..columns).map(|j| weights[(j, k)] * x[(i, j)]).sum::<f64>();
            match family {
                Family::Logistic => {
                    f64::from(u8::from(random.uniform() < 1.0 / (1.0 + (-eta(0)).exp())))
                }
                // Gumbel's trick.
                Family::Softmax { classes } => {
                    let noisy: Vec<f64> =
                        (0..classes).map(|k| eta(k) - (-random.uniform().ln()).ln()).collect();
                    (0..classes).max_by(|&a, &b| noisy[a].total_cmp(&noisy[b])).unwrap() as f64
                }
                Family::Poisson => {
                    // Arrivals of a process of unit rate before the mean.
                    let mean = (0.5 + eta(0)).exp();
                    let mut time = -random.uniform().ln();
                    let mut count = 0.0;
                    while time < mean {
                        time -= random.uniform().ln();
                        count += 1.0;
                    }
                    count
                }
            }
        })
        .collect();
    (x, y)
}

const FAMILIES: [Family; 3] = [Family::Logistic, Family::Softmax { classes: 3 }, Family::Poisson];

/// The maximum must be where finite differences of the evidence vanish: the slope that found it is
/// analytic.
#[test]
fn the_slope_vanishes_where_differences_of_the_evidence_do() {
    for family in FAMILIES {
        for intercept in [Intercept::Absent, Intercept::Integrated] {
            let (x, y) = draw(2, family, 80, 6, 0.7);
            let options = Options { intercept, standardize: true, ..Options::default() };
            let model = Glm::new(x.as_ref(), &y, None, family, options).unwrap();
            let best = model.maximum(&model.grid(25).unwrap()).unwrap();
            assert_eq!(best.outcome, Outcome::Found, "{family:?}");
            let around: Vec<f64> = [-0.02, -0.01, 0.0, 0.01, 0.02]
                .iter()
                .map(|d: &f64| best.point.lambda * d.exp())
                .collect();
            let path: Vec<f64> =
                model.path(&around).unwrap().iter().map(|point| point.log_evidence).collect();
            assert_close(path[2], best.point.log_evidence, 1e-10);
            let slope = (8.0 * (path[3] - path[1]) - (path[4] - path[0])) / 0.12;
            assert!(slope.abs() < 1e-6, "{family:?}: {slope}");
            assert!(path[2] >= path[0] && path[2] >= path[4]);
            // The interval is that of the curvature.
            let curvature = (path[3] - 2.0 * path[2] + path[1]) / 1e-4;
            let (low, high) = best.interval.unwrap();
            assert_close((high / low).ln(), 2.0 * 1.959964 / (-curvature).sqrt(), 1e-3);
            let gamma = best.point.effective_parameters;
            assert!(gamma > 0.0 && gamma < (6 * family.outputs()) as f64);
        }
    }
}

/// One weight, no intercept: Laplace's evidence comes near the integral as rows are added.
#[test]
fn laplace_comes_near_the_integral_in_one_dimension() {
    for family in [Family::Logistic, Family::Poisson] {
        let mut before = f64::INFINITY;
        for rows in [20, 200, 2000] {
            let (x, y) = draw(4, family, rows, 1, 0.5);
            let options =
                Options { intercept: Intercept::Absent, standardize: false, ..Options::default() };
            let model = Glm::new(x.as_ref(), &y, None, family, options).unwrap();
            let (point, posterior) = model.posterior(2.0).unwrap();
            let mode = posterior.coefficients()[0][0];
            let log_joint = |w: f64| {
                let likelihood: f64 = (0..rows)
                    .map(|i| {
                        let eta = w * x[(i, 0)];
                        match family {
                            Family::Logistic => y[i] * eta - (1.0 + eta.exp()).ln(),
                            _ => {
                                y[i] * eta
                                    - eta.exp()
                                    - (1..=y[i] as u64).map(|k| (k as f64).ln()).sum::<f64>()
                            }
                        }
                    })
                    .sum();
                likelihood - w * w + 0.5 * (2.0 / (2.0 * std::f64::consts::PI)).ln()
            };
            // Simpson's rule over ±10 posterior standard deviations (which the prior bounds).
            let half = 10.0 / (2.0 + 0.1 * rows as f64).sqrt();
            let steps = 4000;
            let peak = log_joint(mode);
            let sum: f64 = (0..=steps)
                .map(|i| {
                    let w = mode - half + 2.0 * half * i as f64 / steps as f64;
                    let factor = if i == 0 || i == steps {
                        1.0
                    } else if i % 2 == 1 {
                        4.0
                    } else {
                        2.0
                    };
                    factor * (log_joint(w) - peak).exp()
                })
                .sum();
            let exact = peak + (sum * 2.0 * half / steps as f64 / 3.0).ln();
            let error = (point.log_evidence - exact).abs();
            assert!(error < 1.0 / (rows as f64), "{family:?}, {rows} rows: off by {error}");
            assert!(error < before);
            before = error;
        }
    }
}

#[test]
fn separable_classes_have_a_mode_but_no_maximum_likelihood() {
    let (x, y) = split(&table("../../corpora/tables/breast_cancer.csv", true), Some("benign"));
    let model = Glm::new(x.as_ref(), &y, None, Family::Logistic, Options::default()).unwrap();
    let best = model.maximum(&model.grid(25).unwrap()).unwrap();
    assert_eq!(best.outcome, Outcome::Found);
    assert_eq!(best.separable, Some(true), "30 columns separate 569 rows");
    assert!(!best.point.separates);

    let x = Mat::from_fn(20, 1, |i, _| i as f64);
    let y: Vec<f64> = (0..20).map(|i| f64::from(u8::from(i >= 12))).collect();
    let model = Glm::new(x.as_ref(), &y, None, Family::Logistic, Options::default()).unwrap();
    let best = model.maximum(&model.grid(25).unwrap()).unwrap();
    assert_eq!(best.separable, Some(true));
    assert!(best.point.squared_norm.is_finite());

    let overlapping: Vec<f64> = (0..20).map(|i| f64::from(u8::from(i >= 12 || i == 3))).collect();
    let model =
        Glm::new(x.as_ref(), &overlapping, None, Family::Logistic, Options::default()).unwrap();
    assert_eq!(model.maximum(&model.grid(25).unwrap()).unwrap().separable, Some(false));
}

#[test]
fn labels_are_checked_and_infinite_intercepts_refused() {
    let x = Random(1).matrix(6, 2);
    let refuse = |family, y: [f64; 6]| {
        Glm::new(x.as_ref(), &y, None, family, Options::default()).unwrap_err()
    };
    assert!(matches!(
        refuse(Family::Logistic, [0.0, 1.0, 2.0, 0.0, 1.0, 1.0]),
        EvidenceError::Label { row: 2, family: "logistic", .. }
    ));
    assert!(matches!(
        refuse(Family::Poisson, [0.0, 1.5, 2.0, 0.0, 1.0, 1.0]),
        EvidenceError::Label { row: 1, .. }
    ));
    assert!(matches!(
        refuse(Family::Softmax { classes: 2 }, [0.0, 1.0, 2.0, 0.0, 1.0, 1.0]),
        EvidenceError::Label { .. }
    ));
    assert!(matches!(refuse(Family::Logistic, [1.0; 6]), EvidenceError::NoIntercept { .. }));
    assert!(matches!(refuse(Family::Poisson, [0.0; 6]), EvidenceError::NoIntercept { .. }));
    assert!(matches!(
        refuse(Family::Softmax { classes: 3 }, [0.0, 1.0, 1.0, 0.0, 1.0, 1.0]),
        EvidenceError::NoIntercept { .. }
    ));
    assert!(matches!(
        refuse(Family::Softmax { classes: 1 }, [0.0; 6]),
        EvidenceError::Shape { .. }
    ));
}

#[test]
fn two_classes_by_softmax_are_logistic_regression_with_half_the_precision() {
    // η = η₁ − η₀ with w₁ = −w₀ = w/2: α(‖w₀‖² + ‖w₁‖²) = (α/2)‖w‖².
    let (x, y) = draw(6, Family::Logistic, 60, 4, 1.0);
    let logistic = Glm::new(x.as_ref(), &y, None, Family::Logistic, Options::default()).unwrap();
    let softmax =
        Glm::new(x.as_ref(), &y, None, Family::Softmax { classes: 2 }, Options::default()).unwrap();
    let (one, first) = logistic.posterior(1.5).unwrap();
    let (two, second) = softmax.posterior(3.0).unwrap();
    assert_close(one.log_likelihood, two.log_likelihood, 1e-10);
    let (a, b) = (first.predict(x.as_ref()).unwrap(), second.predict(x.as_ref()).unwrap());
    for (a, b) in a.iter().zip(&b) {
        assert_close(a.at_mode[0], b.at_mode[1], 1e-7);
    }
}

#[test]
fn more_columns_than_rows_are_rotated_without_a_trace() {
    for family in FAMILIES {
        let (x, y) = draw(7, family, 30, 45, 0.3);
        // A column of zeros more or less changes nothing but d ln α, which the determinant takes
        // back.
        let narrow = Mat::from_fn(30, 30, |i, j| x[(i, j)]);
        let wide = Mat::from_fn(30, 31, |i, j| if j < 30 { x[(i, j)] } else { 0.0 });
        let options =
            Options { intercept: Intercept::Integrated, standardize: true, ..Options::default() };
        let direct = Glm::new(narrow.as_ref(), &y, None, family, options).unwrap();
        let rotated = Glm::new(wide.as_ref(), &y, None, family, options).unwrap();
        let (a, first) = direct.posterior(2.0).unwrap();
        let (b, second) = rotated.posterior(2.0).unwrap();
        assert_close(a.log_evidence, b.log_evidence, 1e-9);
        assert_close(a.effective_parameters, b.effective_parameters, 1e-9);
        assert_close(first.coefficients()[0][3], second.coefficients()[0][3], 1e-6);
        let fresh = Random(9).matrix(5, 31);
        let plain = Mat::from_fn(5, 30, |i, j| fresh[(i, j)]);
        let flat = Mat::from_fn(5, 31, |i, j| if j < 30 { fresh[(i, j)] } else { 0.0 });
        let (a, b) =
            (first.predict(plain.as_ref()).unwrap(), second.predict(flat.as_ref()).unwrap());
        for (a, b) in a.iter().zip(&b) {
            assert_close(a.averaged[0], b.averaged[0], 1e-6);
        }
        assert!(Glm::new(x.as_ref(), &y, None, family, options).unwrap().posterior(1.0).is_ok());
    }
}

#[test]
fn averaging_makes_probabilities_less_sure_and_a_saved_model_predicts_the_same() {
    let (x, y) = draw(8, Family::Softmax { classes: 3 }, 60, 4, 1.5);
    let model =
        Glm::new(x.as_ref(), &y, None, Family::Softmax { classes: 3 }, Options::default()).unwrap();
    let (_, posterior) = model.posterior(0.5).unwrap();
    let read: GlmPosterior =
        serde_json::from_str(&serde_json::to_string(&posterior).unwrap()).unwrap();
    let predictions = posterior.predict(x.as_ref()).unwrap();
    assert_eq!(predictions, read.predict(x.as_ref()).unwrap());
    let mean_of_largest = |pick: fn(&wd_evidence::glm::GlmPrediction) -> &Vec<f64>| {
        let largest = predictions.iter().map(|p| pick(p).iter().copied().fold(0.0, f64::max));
        largest.sum::<f64>() / predictions.len() as f64
    };
    assert!(mean_of_largest(|p| &p.averaged) < mean_of_largest(|p| &p.at_mode) - 0.005);
    for prediction in &predictions {
        assert_close(prediction.averaged.iter().sum(), 1.0, 1e-12);
    }
    let mut damaged = serde_json::to_value(&posterior).unwrap();
    damaged["intercepts"] = serde_json::json!([0.0]);
    let damaged: GlmPosterior = serde_json::from_value(damaged).unwrap();
    assert!(matches!(damaged.predict(x.as_ref()).unwrap_err(), EvidenceError::Damaged(_)));
}

#[test]
fn weights_count_rows() {
    let (x, y) = draw(9, Family::Poisson, 30, 3, 0.5);
    let weights: Vec<f64> = (0..30).map(|i| (i % 3) as f64).collect();
    let order: Vec<usize> = (0..30).flat_map(|i| std::iter::repeat_n(i, i % 3)).collect();
    let repeated_x = Mat::from_fn(order.len(), 3, |i, j| x[(order[i], j)]);
    let repeated_y: Vec<f64> = order.iter().map(|&i| y[i]).collect();
    let weighted =
        Glm::new(x.as_ref(), &y, Some(&weights), Family::Poisson, Options::default()).unwrap();
    let repeated =
        Glm::new(repeated_x.as_ref(), &repeated_y, None, Family::Poisson, Options::default())
            .unwrap();
    let (a, b) = (weighted.path(&[0.7]).unwrap()[0], repeated.path(&[0.7]).unwrap()[0]);
    assert_close(a.log_evidence, b.log_evidence, 1e-12);
    assert_close(a.squared_norm, b.squared_norm, 1e-9);
    let left_out = |model: &Glm| model.leave_one_out(&[0.7]).unwrap()[0];
    assert_close(left_out(&weighted), left_out(&repeated), 1e-9);
}

/// An offset is what the intercept would be if every row had the same, and rates are what it makes
/// of counts: the gradient of Σ (y η − exp(η)) with η = offset + xᵀw is 0 at the mode.
#[test]
fn offsets_are_added_to_the_linear_predictor() {
    let (x, y) = draw(21, Family::Poisson, 60, 3, 0.5);
    let options = Options::default();
    let posterior = |offset: Option<&[f64]>| {
        let rows = GlmRows { offset, ..GlmRows::new(x.as_ref(), &y) };
        Glm::of(rows, Family::Poisson, options).unwrap().posterior(2.0).unwrap()
    };
    let (plain, constant) = (posterior(None), posterior(Some(&[0.7; 60])));
    for (a, b) in plain.1.coefficients()[0].iter().zip(&constant.1.coefficients()[0]) {
        assert_close(*a, *b, 1e-9);
    }
    assert_close(plain.1.intercepts()[0] - 0.7, constant.1.intercepts()[0], 1e-9);
    assert_close(plain.0.log_evidence, constant.0.log_evidence, 1e-10);

    let offset: Vec<f64> = (0..60).map(|row| f64::from(row % 7) / 5.0 - 0.5).collect();
    let rows = GlmRows { offset: Some(&offset), ..GlmRows::new(x.as_ref(), &y) };
    let model = Glm::of(rows, Family::Poisson, options).unwrap();
    let (_, found) = model.posterior(2.0).unwrap();
    let means = found.means(x.as_ref(), Some(&offset)).unwrap();
    let scales = &model.columns().scales;
    let centres = &model.columns().means;
    for column in 0..3 {
        let gradient: f64 = (0..60)
            .map(|row| {
                let entered = (x[(row, column)] - centres[column]) / scales[column];
                entered * (y[row] - means[row][0])
            })
            .sum();
        let penalty = 2.0 * found.coefficients()[0][column] * scales[column];
        assert!((gradient - penalty).abs() < 1e-7, "{gradient} {penalty}");
    }
    let sum: f64 = (0..60).map(|row| y[row] - means[row][0]).sum();
    assert!(sum.abs() < 1e-7, "{sum}");
    // Leaving out and folds know it, too.
    let fold_of: Vec<usize> = (0..60).collect();
    let lambdas = [5.0];
    let folded =
        wd_evidence::glm::cross_validate(rows, &fold_of, Family::Poisson, options, &lambdas);
    let left_out = model.leave_one_out(&lambdas).unwrap()[0];
    assert_close(left_out, folded.unwrap().mean_losses[0], 5e-3);
}

/// Laplace's standard deviations are those of the curvature of the log posterior, by finite
/// differences of its gradient.
#[test]
fn standard_deviations_are_those_of_the_curvature() {
    let (x, y) = draw(22, Family::Logistic, 80, 2, 1.0);
    let options =
        Options { intercept: Intercept::Absent, standardize: false, ..Options::default() };
    let model = Glm::new(x.as_ref(), &y, None, Family::Logistic, options).unwrap();
    let (_, posterior) = model.posterior(1.5).unwrap();
    let mode = &posterior.coefficients()[0];
    let gradient = |weights: [f64; 2], column: usize| -> f64 {
        let data: f64 = (0..80)
            .map(|row| {
                let eta = weights[0] * x[(row, 0)] + weights[1] * x[(row, 1)];
                x[(row, column)] * (y[row] - 1.0 / (1.0 + (-eta).exp()))
            })
            .sum();
        data - 1.5 * weights[column]
    };
    let step = 1e-5;
    let hessian = |i: usize, j: usize| {
        let moved = |by: f64| {
            let mut weights = [mode[0], mode[1]];
            weights[j] += by;
            gradient(weights, i)
        };
        -(moved(step) - moved(-step)) / (2.0 * step)
    };
    let determinant = hessian(0, 0) * hessian(1, 1) - hessian(0, 1) * hessian(1, 0);
    let deviations = &posterior.standard_deviations().unwrap()[0];
    assert_close(deviations[0], (hessian(1, 1) / determinant).sqrt(), 1e-6);
    assert_close(deviations[1], (hessian(0, 0) / determinant).sqrt(), 1e-6);
}

/// The same in coordinates of the rows: with more columns than rows, and with fewer.
#[test]
fn standard_deviations_survive_a_rotation() {
    let (x, y) = draw(23, Family::Logistic, 12, 5, 1.0);
    let wide = Mat::from_fn(12, 20, |i, j| if j < 5 { x[(i, j)] } else { 0.0 });
    let options = Options { standardize: false, ..Options::default() };
    let deviations = |x: &Mat<f64>| {
        let model = Glm::new(x.as_ref(), &y, None, Family::Logistic, options).unwrap();
        model.posterior(0.8).unwrap().1.standard_deviations().unwrap().remove(0)
    };
    let (narrow, wide) = (deviations(&x), deviations(&wide));
    for (column, wide) in wide.iter().enumerate() {
        // A column that is 0 in every row has the prior to go by.
        let expected = narrow.get(column).copied().unwrap_or(1.0 / 0.8f64.sqrt());
        assert_close(*wide, expected, 1e-9);
    }
}

#[test]
fn labels_without_signal_give_the_largest_lambda() {
    let mut random = Random(10);
    let y: Vec<f64> = (0..200).map(|i| f64::from(i % 2)).collect();
    let mut silent = 0;
    for _ in 0..10 {
        let x = random.matrix(200, 5);
        let model = Glm::new(x.as_ref(), &y, None, Family::Logistic, Options::default()).unwrap();
        let grid = model.grid(25).unwrap();
        let best = model.maximum(&grid).unwrap();
        if best.outcome == Outcome::NoSignal {
            silent += 1;
            assert_close(best.point.lambda, grid[24], 1e-12);
            assert_close(best.point.log_likelihood, -200.0 * 2f64.ln(), 1e-3);
        }
    }
    assert!(silent >= 3, "{silent} of 10 draws without signal were called so");
}

#[test]
fn folds_left_out_equal_refits() {
    let (x, y) = draw(11, Family::Poisson, 40, 3, 0.5);
    let options =
        Options { intercept: Intercept::Integrated, standardize: false, ..Options::default() };
    let fold_of: Vec<usize> = (0..40).map(|i| i % 4).collect();
    let found = wd_evidence::glm::cross_validate(
        GlmRows::new(x.as_ref(), &y),
        &fold_of,
        Family::Poisson,
        options,
        &[3.0, 0.5],
    )
    .unwrap()
    .mean_losses;
    for (loss, lambda) in found.iter().zip([3.0, 0.5]) {
        let mut expected = 0.0;
        for fold in 0..4 {
            let rows: Vec<usize> = (0..40).filter(|i| i % 4 != fold).collect();
            let train_x = Mat::from_fn(30, 3, |i, j| x[(rows[i], j)]);
            let train_y: Vec<f64> = rows.iter().map(|&i| y[i]).collect();
            let model =
                Glm::new(train_x.as_ref(), &train_y, None, Family::Poisson, options).unwrap();
            let (_, posterior) = model.posterior(lambda).unwrap();
            for (row, prediction) in posterior.predict(x.as_ref()).unwrap().iter().enumerate() {
                if row % 4 == fold {
                    let mean = prediction.at_mode[0];
                    let log_factorial: f64 = (1..=y[row] as u64).map(|k| (k as f64).ln()).sum();
                    expected -= (y[row] * mean.ln() - mean - log_factorial) / 40.0;
                }
            }
        }
        assert_close(*loss, expected, 1e-7);
    }
}

#[test]
fn approximate_leave_one_out_is_near_n_refits() {
    // Of 60 rows and 4 columns: the smaller λ, the further the mode moves and the rougher the step.
    let (lambdas, tolerances) = ([30.0, 3.0, 0.3], [2e-3, 4e-3, 8e-3]);
    for family in FAMILIES {
        let rows = 60;
        let (x, y) = draw(12, family, rows, 4, 0.7);
        for options in [
            Options::default(),
            Options { intercept: Intercept::Absent, standardize: false, ..Options::default() },
        ] {
            let fold_of: Vec<usize> = (0..rows).collect();
            let model = Glm::new(x.as_ref(), &y, None, family, options).unwrap();
            let found = model.leave_one_out(&lambdas).unwrap();
            let expected = wd_evidence::glm::cross_validate(
                GlmRows::new(x.as_ref(), &y),
                &fold_of,
                family,
                options,
                &lambdas,
            )
            .unwrap()
            .mean_losses;
            let fitted = model.held_out(GlmRows::new(x.as_ref(), &y), &lambdas).unwrap();
            for (((found, expected), fitted), tolerance) in
                found.iter().zip(&expected).zip(&fitted).zip(tolerances)
            {
                assert_close(*found, *expected, tolerance);
                // The loss of the rows that were fitted is much further away.
                assert!((found - expected).abs() < 0.05 * (expected - fitted).abs());
            }
        }
    }
}

#[test]
fn leaving_out_sees_no_row_of_weight_0_and_no_rotation() {
    let (x, y) = draw(13, Family::Logistic, 40, 3, 1.0);
    let mut weights = vec![1.0; 40];
    weights[7] = 0.0;
    let rows: Vec<usize> = (0..40).filter(|row| *row != 7).collect();
    let kept = Mat::from_fn(39, 3, |i, j| x[(rows[i], j)]);
    let labels: Vec<f64> = rows.iter().map(|&row| y[row]).collect();
    let loss = |x: &Mat<f64>, y: &[f64], weights: Option<&[f64]>| {
        Glm::new(x.as_ref(), y, weights, Family::Logistic, Options::default())
            .unwrap()
            .leave_one_out(&[1.0])
            .unwrap()[0]
    };
    // A row of weight 0 is not there.
    assert_close(loss(&x, &y, Some(&weights)), loss(&kept, &labels, None), 1e-10);
    // More columns than rows.
    let (x, y) = draw(14, Family::Logistic, 20, 40, 1.0);
    let model = Glm::new(x.as_ref(), &y, None, Family::Logistic, Options::default()).unwrap();
    let fold_of: Vec<usize> = (0..20).collect();
    let expected = wd_evidence::glm::cross_validate(
        GlmRows::new(x.as_ref(), &y),
        &fold_of,
        Family::Logistic,
        Options::default(),
        &[20.0],
    )
    .unwrap()
    .mean_losses[0];
    let found = model.leave_one_out(&[20.0]).unwrap()[0];
    assert_close(found, expected, 1e-3);
}
