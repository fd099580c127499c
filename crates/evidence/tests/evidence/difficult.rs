//! Data that break a careless program: a right answer or a clear error, and never a NaN.

use crate::support::{Random, assert_close, regression};
use faer::Mat;
use proptest::prelude::*;
use wd_evidence::{
    Evidence, EvidenceError, Gaussian, Intercept, MatRef, Options, Outcome, Statistics,
};

fn column(values: &[f64]) -> MatRef<'_, f64> {
    MatRef::from_column_major_slice(values, values.len(), 1)
}

fn model(x: &Mat<f64>, y: &Mat<f64>) -> Gaussian {
    Gaussian::from_rows(x.as_ref(), y.as_ref(), None, Options::default()).unwrap()
}

#[track_caller]
fn assert_numbers(evidence: &Evidence) {
    for lambda in evidence.grid(60) {
        let point = evidence.at(lambda);
        for value in [
            point.alpha,
            point.beta,
            point.log_evidence,
            point.effective_parameters,
            point.squared_norm,
            point.residual_sum_of_squares,
        ] {
            assert!(value.is_finite(), "{point:?}");
        }
        assert!(!point.generalized_cross_validation.is_nan());
    }
}

/// Longley 1967, with the certified values of NIST's Statistical Reference Datasets.
#[test]
fn longley() {
    let table = [
        [60323.0, 83.0, 234289.0, 2356.0, 1590.0, 107608.0, 1947.0],
        [61122.0, 88.5, 259426.0, 2325.0, 1456.0, 108632.0, 1948.0],
        [60171.0, 88.2, 258054.0, 3682.0, 1616.0, 109773.0, 1949.0],
        [61187.0, 89.5, 284599.0, 3351.0, 1650.0, 110929.0, 1950.0],
        [63221.0, 96.2, 328975.0, 2099.0, 3099.0, 112075.0, 1951.0],
        [63639.0, 98.1, 346999.0, 1932.0, 3594.0, 113270.0, 1952.0],
        [64989.0, 99.0, 365385.0, 1870.0, 3547.0, 115094.0, 1953.0],
        [63761.0, 100.0, 363112.0, 3578.0, 3350.0, 116219.0, 1954.0],
        [66019.0, 101.2, 397469.0, 2904.0, 3048.0, 117388.0, 1955.0],
        [67857.0, 104.6, 419180.0, 2822.0, 2857.0, 118734.0, 1956.0],
        [68169.0, 108.4, 442769.0, 2936.0, 2798.0, 120445.0, 1957.0],
        [66513.0, 110.8, 444546.0, 4681.0, 2637.0, 121950.0, 1958.0],
        [68655.0, 112.6, 482704.0, 3813.0, 2552.0, 123366.0, 1959.0],
        [69564.0, 114.2, 502601.0, 3931.0, 2514.0, 125368.0, 1960.0],
        [69331.0, 115.7, 518173.0, 4806.0, 2572.0, 127852.0, 1961.0],
        [70551.0, 116.9, 554894.0, 4007.0, 2827.0, 130081.0, 1962.0],
    ];
    let x = Mat::from_fn(16, 6, |i, j| table[i][j + 1]);
    let y = Mat::from_fn(16, 1, |i, _| table[i][0]);
    let model = model(&x, &y);
    let least_squares = model.fit(0, 0.0).unwrap();
    let certified = [
        15.0618722713733,
        -0.0358191792925910,
        -2.02022980381683,
        -1.03322686717359,
        -0.0511041056535807,
        1829.15146461355,
    ];
    for (found, certified) in least_squares.coefficients.iter().zip(certified) {
        assert_close(*found, certified, 1e-8);
    }
    assert_close(least_squares.intercept, -3482258.63459582, 1e-8);
    assert_close(least_squares.point.residual_sum_of_squares, 836424.055505915, 1e-8);
    let best = model.evidence(0).unwrap().maximum();
    assert_eq!(best.outcome, Outcome::Found);
    assert_numbers(&model.evidence(0).unwrap());
}

#[test]
fn dependent_and_constant_columns_leave_the_rest_as_it_was() {
    let (x, y) = regression(1, 40, 4, 1.0);
    let alone = model(&x, &y);
    // Column 0 twice more, and one that never varies.
    let more = Mat::from_fn(40, 7, |i, j| match j {
        0..4 => x[(i, j)],
        4 | 5 => x[(i, 0)],
        _ => 1e8,
    });
    let dependent = model(&more, &y);
    assert_eq!(dependent.columns().constant, [6]);
    let evidence = dependent.evidence(0).unwrap();
    assert_eq!(evidence.rank(), 4);
    assert_numbers(&evidence);
    assert_close(
        dependent.fit(0, 0.0).unwrap().point.residual_sum_of_squares,
        alone.fit(0, 0.0).unwrap().point.residual_sum_of_squares,
        1e-10,
    );
    for lambda in [0.0, 1e-13, 1e-8, 0.3] {
        let fit = dependent.fit(0, lambda).unwrap();
        assert_eq!(fit.coefficients[6], 0.0);
        assert!(
            (fit.coefficients[0] - fit.coefficients[5]).abs() < 1e-6 * fit.coefficients[0].abs(),
            "{lambda}"
        );
    }
}

#[test]
fn one_row_or_none() {
    let (one, two) = (column(&[2.0]), column(&[3.0]));
    for intercept in [Intercept::Profiled, Intercept::Integrated] {
        let options = Options { intercept, standardize: true, ..Options::default() };
        let refused = Gaussian::from_rows(one, two, None, options).unwrap_err();
        assert!(
            matches!(refused, EvidenceError::TooFewRows { rows: 1, needed: 2, .. }),
            "{refused}"
        );
    }
    let options = Options { intercept: Intercept::Absent, standardize: true, ..Options::default() };
    let model = Gaussian::from_rows(one, two, None, options).unwrap();
    assert_close(model.fit(0, 4.0).unwrap().coefficients[0], 2.0 * 3.0 / (4.0 + 4.0), 1e-14);
    let empty = Gaussian::from_rows(column(&[]), column(&[]), None, options).unwrap_err();
    assert_eq!(empty, EvidenceError::Empty("rows with a positive weight"));
    let weightless = Gaussian::from_rows(one, two, Some(&[0.0]), options).unwrap_err();
    assert_eq!(weightless, EvidenceError::Empty("rows with a positive weight"));
}

#[test]
fn one_column_in_closed_form() {
    let (x, y) = ([-1.0, 0.0, 1.0, 2.0, 3.0], [0.3, 1.1, 1.7, 3.3, 3.9]);
    let options =
        Options { intercept: Intercept::Profiled, standardize: false, ..Options::default() };
    let model = Gaussian::from_rows(column(&x), column(&y), None, options).unwrap();
    // Σ(x − x̄)² = 10, Σ(x − x̄)(y − ȳ) = 9.4, Σ(y − ȳ)² = 9.072.
    let point = model.evidence(0).unwrap().at(2.0);
    assert_close(model.fit(0, 2.0).unwrap().coefficients[0], 9.4 / 12.0, 1e-14);
    assert_close(point.effective_parameters, 10.0 / 12.0, 1e-14);
    assert_close(1.0 / point.beta, (9.072 - 9.4 * 9.4 / 12.0) / 5.0, 1e-13);
}

#[test]
fn a_target_that_never_varies_is_refused() {
    let (x, _) = regression(1, 10, 2, 1.0);
    for value in [0.0, 3.7, 1e200] {
        let y = Mat::from_fn(10, 1, |_, _| value);
        assert_eq!(
            model(&x, &y).evidence(0).unwrap_err(),
            EvidenceError::ConstantTarget { target: 0 }
        );
    }
    let zero = Mat::zeros(10, 1);
    let options = Options { intercept: Intercept::Absent, standardize: true, ..Options::default() };
    let refused = Gaussian::from_rows(x.as_ref(), zero.as_ref(), None, options)
        .unwrap()
        .evidence(0)
        .unwrap_err();
    assert_eq!(refused, EvidenceError::ConstantTarget { target: 0 });
    let constant = Mat::from_fn(10, 2, |_, _| 1.5);
    let refused =
        Gaussian::from_rows(constant.as_ref(), x.as_ref().subcols(0, 1), None, Options::default())
            .unwrap_err();
    assert_eq!(refused, EvidenceError::ConstantColumns);
}

#[test]
fn a_perfect_fit_has_no_noise() {
    for (rows, columns) in [(30, 4), (8, 30)] {
        let (x, y) = regression(6, rows, columns, 0.0);
        let model = model(&x, &y);
        let evidence = model.evidence(0).unwrap();
        assert!(evidence.is_interpolated());
        assert_numbers(&evidence);
        let best = evidence.maximum();
        if columns < rows {
            assert_eq!(best.outcome, Outcome::Noiseless);
            assert_eq!((best.point.lambda, best.point.beta), (0.0, f64::INFINITY));
            assert!(best.point.alpha.is_finite() && best.point.alpha > 0.0);
            assert!(evidence.fixed_point(1.0, 100_000).is_err());
        }
        let fit = model.fit(0, 0.0).unwrap();
        for i in 0..rows {
            let fitted: f64 = (0..columns).map(|j| fit.coefficients[j] * x[(i, j)]).sum();
            assert!((fit.intercept + fitted - y[(i, 0)]).abs() < 1e-7 * y[(i, 0)].abs().max(1.0));
        }
    }
}

#[test]
fn no_signal_is_reported_as_such() {
    let mut random = Random(8);
    let mut silent = 0;
    for _ in 0..20 {
        let (x, y) = (random.matrix(100, 5), random.matrix(100, 1));
        let model = model(&x, &y);
        let best = model.evidence(0).unwrap().maximum();
        if best.outcome == Outcome::NoSignal {
            silent += 1;
            assert_eq!(best.point.lambda, f64::INFINITY);
            assert_eq!((best.point.effective_parameters, best.point.squared_norm), (0.0, 0.0));
            assert!(best.point.log_evidence.is_finite() && best.interval.is_none());
            let fit = model.fit(0, best.point.lambda).unwrap();
            assert!(fit.coefficients.iter().all(|weight| *weight == 0.0));
            let prediction =
                model.posterior(0, best.point.lambda).unwrap().predict(x.as_ref()).unwrap()[0];
            assert!(prediction.variance.is_finite() && prediction.mean.is_finite());
            // Nothing finite is better.
            let evidence = model.evidence(0).unwrap();
            assert!(
                evidence
                    .grid(200)
                    .iter()
                    .all(|&lambda| evidence.at(lambda).log_evidence <= best.point.log_evidence)
            );
        }
    }
    assert!(silent >= 5, "{silent} of 20 draws without signal were called so");
}

#[test]
fn scales_from_1e_minus_150_to_1e150_change_nothing() {
    let (x, y) = regression(9, 50, 3, 1.0);
    let plain = model(&x, &y);
    let expected = plain.evidence(0).unwrap().maximum();
    for (x_scale, y_scale) in
        [(1e150, 1.0), (1e-150, 1.0), (1.0, 1e150), (1.0, 1e-145), (1e-150, 1e150), (1e140, 1e-140)]
    {
        let scaled_x = Mat::from_fn(50, 3, |i, j| x[(i, j)] * x_scale);
        let scaled_y = Mat::from_fn(50, 1, |i, _| y[(i, 0)] * y_scale);
        for scaled in [
            Gaussian::from_rows(scaled_x.as_ref(), scaled_y.as_ref(), None, Options::default()),
            Gaussian::dual(scaled_x.as_ref(), scaled_y.as_ref(), None, Options::default()),
        ] {
            let scaled = scaled.unwrap();
            let found = scaled.evidence(0).unwrap().maximum();
            assert_close(found.point.lambda, expected.point.lambda, 1e-9);
            assert_close(
                found.point.effective_parameters,
                expected.point.effective_parameters,
                1e-9,
            );
            let (a, b) = (plain.fit(0, 1.0).unwrap(), scaled.fit(0, 1.0).unwrap());
            assert_close(
                b.standardized_coefficients[1] / y_scale,
                a.standardized_coefficients[1],
                1e-10,
            );
        }
    }
    // Beyond, squares leave f64, and that is said.
    for scale in [1e160, 1e-160] {
        let scaled_x =
            Mat::from_fn(50, 3, |i, j| if j == 1 { x[(i, j)] * scale } else { x[(i, j)] });
        let refused = Gaussian::from_rows(scaled_x.as_ref(), y.as_ref(), None, Options::default())
            .unwrap_err();
        assert!(
            matches!(refused, EvidenceError::Scale { what: "column", column: 1, .. }),
            "{refused}"
        );
        let scaled_y = Mat::from_fn(50, 1, |i, _| y[(i, 0)] * scale);
        let refused = model(&x, &scaled_y).evidence(0).unwrap_err();
        assert!(matches!(refused, EvidenceError::Scale { what: "target", .. }), "{refused}");
    }
}

#[test]
fn what_is_not_a_number_is_named() {
    let (mut x, y) = regression(1, 10, 3, 1.0);
    x[(7, 2)] = f64::NAN;
    let refused =
        Gaussian::from_rows(x.as_ref(), y.as_ref(), None, Options::default()).unwrap_err();
    assert_eq!(refused.to_string(), "column 2 of row 7 is NaN: remove the row or impute the value");
    x[(7, 2)] = 0.0;
    let mut weights = vec![1.0; 10];
    weights[3] = -1.0;
    let refused = Gaussian::from_rows(x.as_ref(), y.as_ref(), Some(&weights), Options::default())
        .unwrap_err();
    assert_eq!(refused, EvidenceError::Weight { row: 3, value: -1.0 });
    let model = model(&x, &y);
    for lambda in [-1.0, f64::NAN] {
        assert!(matches!(model.fit(0, lambda).unwrap_err(), EvidenceError::Lambda(_)));
    }
    assert!(matches!(model.fit(1, 1.0).unwrap_err(), EvidenceError::Shape { .. }));
    assert!(matches!(model.posterior(0, 0.0).unwrap_err(), EvidenceError::Lambda(_)));
}

#[test]
fn damaged_statistics_are_refused() {
    let (x, y) = regression(1, 10, 2, 1.0);
    let mut statistics = Statistics::new(2, 1).unwrap();
    statistics.add(x.as_ref(), y.as_ref(), None).unwrap();
    let good = serde_json::to_value(&statistics).unwrap();
    assert!(serde_json::from_value::<Statistics>(good.clone()).is_ok());
    for (key, value) in [
        ("columns", serde_json::json!(3)),
        ("columns", serde_json::json!(u64::MAX)),
        ("targets", serde_json::json!(0)),
        ("means", serde_json::json!([1.0])),
        ("gram", serde_json::json!([1.0, 2.0])),
        ("gram", serde_json::json!([-1.0, 0.0, 0.0, 1.0, 0.0, 1.0])),
        ("weight", serde_json::json!(-5.0)),
        ("rows", serde_json::json!(0)),
        ("surprise", serde_json::json!(0)),
    ] {
        let mut damaged = good.clone();
        damaged[key] = value.clone();
        assert!(serde_json::from_value::<Statistics>(damaged).is_err(), "{key} = {value}");
    }
}

proptest! {
    #[test]
    fn effective_parameters_fall_with_lambda_between_rank_and_0(
        seed in 0u64..1000, rows in 2usize..25, columns in 1usize..25, absent in any::<bool>()
    ) {
        let (x, y) = regression(seed, rows, columns, 1.0);
        let intercept = if absent { Intercept::Absent } else { Intercept::Profiled };
        let model = Gaussian::from_rows(x.as_ref(), y.as_ref(), None, Options { intercept, standardize: true, ..Options::default() }).unwrap();
        let evidence = model.evidence(0).unwrap();
        let bound = rows.min(columns) as f64;
        let mut before = bound * (1.0 + 1e-14);
        for lambda in evidence.grid(50) {
            let gamma = evidence.at(lambda).effective_parameters;
            prop_assert!(gamma >= 0.0 && gamma <= before, "{gamma} after {before}");
            before = gamma;
        }
    }

    #[test]
    fn the_maximum_is_above_every_other_lambda(seed in 0u64..1000, rows in 3usize..40, columns in 1usize..20) {
        let (x, y) = regression(seed, rows, columns, 2.0);
        let options = Options { intercept: Intercept::Integrated, standardize: true, ..Options::default() };
        let model = Gaussian::from_rows(x.as_ref(), y.as_ref(), None, options).unwrap();
        let evidence = model.evidence(0).unwrap();
        let best = evidence.maximum();
        for lambda in evidence.grid(100) {
            prop_assert!(evidence.at(lambda).log_evidence <= best.point.log_evidence + 1e-9, "{lambda} beats {best:?}");
        }
    }
}
