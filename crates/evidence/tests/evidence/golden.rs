//! The same data, the same λ, another implementation: scikit-learn 1.9 and statsmodels 0.15
//! (`golden/golden.py`).

use crate::support::assert_close;
use crate::tables::{split, table};
use serde_json::Value;
use wd_evidence::{
    Family, Gaussian, Glm, Intercept, LeaveOneOut, MatRef, Options, Statistics, cross_validate,
};

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden/golden.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// |a − b| within `tolerance` of the largest of `b`.
#[track_caller]
fn assert_all_close(a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len());
    let scale = b.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    for (place, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() <= tolerance * scale, "number {place}: {a} and {b}");
    }
}

fn column(values: &[f64]) -> MatRef<'_, f64> {
    MatRef::from_column_major_slice(values, values.len(), 1)
}

/// `tolerance` is for coefficients, whose size is that of the largest: in ames some columns are
/// sums of others, and X'X has eigenvalues of 1e-15 of the largest, which scikit-learn's singular
/// values resolve further.
#[track_caller]
fn compare(name: &str, path: &str, target: &str, tolerance: f64) {
    let golden = golden();
    let golden = &golden[name];
    let (x, y) = split(&table(path, true), Some(target));
    let (x, y) = (x.as_ref(), column(&y));
    for (key, intercept) in [("profiled", Intercept::Profiled), ("absent", Intercept::Absent)] {
        // fit_intercept=False on standardised columns: they are centred, the target is not.
        let standardized = standardize(x);
        let model = match intercept {
            Intercept::Absent => Gaussian::from_rows(
                standardized.as_ref(),
                y,
                None,
                Options { intercept, standardize: false, ..Options::default() },
            ),
            _ => Gaussian::from_rows(
                x,
                y,
                None,
                Options { intercept, standardize: true, ..Options::default() },
            ),
        }
        .unwrap();
        let expected = &golden[key];
        let best = model.evidence(0).unwrap().maximum().point;
        assert_close(best.alpha, expected["alpha"].as_f64().unwrap(), 1e-6);
        assert_close(best.beta, expected["beta"].as_f64().unwrap(), 1e-6);
        assert_close(best.log_evidence, expected["log_evidence"].as_f64().unwrap(), 1e-9);
        let fit = model.fit(0, best.lambda).unwrap();
        assert_all_close(&fit.standardized_coefficients, &numbers(&expected["coefficients"]), 1e-6);

        let posterior = model.posterior(0, best.lambda).unwrap();
        let rows = if intercept == Intercept::Absent { standardized.as_ref() } else { x };
        let predictions = posterior.predict(rows.subrows(0, 5)).unwrap();
        // scikit-learn leaves the intercept's own variance, 1/(βn), out.
        let own =
            if intercept == Intercept::Absent { 0.0 } else { 1.0 / (best.beta * x.nrows() as f64) };
        let deviations: Vec<f64> =
            predictions.iter().map(|prediction| (prediction.variance - own).sqrt()).collect();
        assert_all_close(&deviations, &numbers(&expected["predictive_deviations"]), 1e-6);
    }

    let lambdas = numbers(&golden["lambdas"]);
    let options = Options::default();
    let model = Gaussian::from_rows(x, y, None, options).unwrap();
    for (lambda, expected) in lambdas.iter().zip(golden["ridge"].as_array().unwrap()) {
        let fit = model.fit(0, *lambda).unwrap();
        assert_all_close(&fit.coefficients, &numbers(&expected["coefficients"]), tolerance);
        assert_close(fit.intercept, expected["intercept"].as_f64().unwrap(), tolerance);
    }
    let mut errors = LeaveOneOut::new(&model, 0, &lambdas).unwrap();
    errors.add(x, y, None).unwrap();
    assert_all_close(&errors.mean_squared_errors(), &numbers(&golden["leave_one_out"]), 1e-8);

    let folds: Vec<Statistics> = (0..5)
        .map(|fold| {
            let mut statistics = Statistics::new(x.ncols(), 1).unwrap();
            for row in (fold..x.nrows()).step_by(5) {
                statistics.add(x.subrows(row, 1), y.subrows(row, 1), None).unwrap();
            }
            statistics
        })
        .collect();
    let errors = cross_validate(&folds, options, 0, &lambdas).unwrap().mean_squared_errors;
    assert_all_close(&errors, &numbers(&golden["five_folds"]), 1e-8);
}

fn standardize(x: MatRef<'_, f64>) -> wd_evidence::Mat<f64> {
    let n = x.nrows() as f64;
    let mut standardized = x.to_owned();
    for j in 0..x.ncols() {
        let mean = x.col(j).iter().sum::<f64>() / n;
        let deviation =
            (x.col(j).iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
        let scale = if deviation == 0.0 { 1.0 } else { deviation };
        (0..x.nrows()).for_each(|i| standardized[(i, j)] = (x[(i, j)] - mean) / scale);
    }
    standardized
}

#[test]
fn diabetes() {
    compare("diabetes", "../../corpora/tables/diabetes.csv", "target", 1e-9);
}

#[test]
fn concrete() {
    compare("concrete", "tests/golden/concrete.csv", "compressive_strength", 1e-9);
}

#[test]
fn ames() {
    compare("ames", "tests/golden/ames.csv", "Sale_Price", 1e-6);
}

#[test]
fn breast_cancer_by_logistic_regression() {
    let (x, y) = split(&table("../../corpora/tables/breast_cancer.csv", true), Some("benign"));
    let model = Glm::new(x.as_ref(), &y, None, Family::Logistic, Options::default()).unwrap();
    for expected in golden()["breast_cancer"].as_array().unwrap() {
        let (_, posterior) = model.posterior(1.0 / expected["c"].as_f64().unwrap()).unwrap();
        let scales = &model.columns().scales;
        let standardized: Vec<f64> =
            posterior.coefficients()[0].iter().zip(scales).map(|(w, scale)| w * scale).collect();
        assert_all_close(&standardized, &numbers(&expected["coefficients"][0]), 1e-6);
        let at_mean = posterior.intercepts()[0]
            + posterior.coefficients()[0]
                .iter()
                .zip(&model.columns().means)
                .map(|(w, mean)| w * mean)
                .sum::<f64>();
        assert_close(at_mean, expected["intercepts"][0].as_f64().unwrap(), 1e-6);
        let predictions = posterior.predict(x.as_ref().subrows(0, 5)).unwrap();
        let ones: Vec<f64> = predictions.iter().map(|prediction| prediction.at_mode[0]).collect();
        let expected: Vec<f64> = expected["probabilities"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row[1].as_f64().unwrap())
            .collect();
        assert_all_close(&ones, &expected, 1e-6);
    }
}

#[test]
fn digits_by_softmax_regression() {
    let (x, y) = split(&table("../../corpora/tables/digits.csv.gz", false), None);
    let model = Glm::new(x.as_ref(), &y, None, Family::Softmax { classes: 10 }, Options::default())
        .unwrap();
    for expected in golden()["digits"].as_array().unwrap() {
        let (_, posterior) = model.posterior(1.0 / expected["c"].as_f64().unwrap()).unwrap();
        for class in 0..10 {
            let standardized: Vec<f64> = posterior.coefficients()[class]
                .iter()
                .zip(&model.columns().scales)
                .map(|(w, scale)| w * scale)
                .collect();
            assert_all_close(&standardized, &numbers(&expected["coefficients"][class]), 1e-6);
        }
        let predictions = posterior.predict(x.as_ref().subrows(0, 5)).unwrap();
        for (prediction, expected) in
            predictions.iter().zip(expected["probabilities"].as_array().unwrap())
        {
            assert_all_close(&prediction.at_mode, &numbers(expected), 1e-6);
        }
    }
}

#[test]
fn counts_by_poisson_regression() {
    let (x, y) = split(&table("../../corpora/tables/diabetes.csv", true), Some("target"));
    // numpy rounds halves to even.
    let counts: Vec<f64> = y.iter().map(|y| (y / 10.0).round_ties_even()).collect();
    let model = Glm::new(x.as_ref(), &counts, None, Family::Poisson, Options::default()).unwrap();
    for expected in golden()["counts"].as_array().unwrap() {
        let lambda = expected["lambda"].as_f64().unwrap();
        let (point, posterior) = model.posterior(lambda).unwrap();
        assert_close(point.log_likelihood, expected["log_likelihood"].as_f64().unwrap(), 1e-10);
        let parameters = numbers(&expected["parameters"]);
        let standardized: Vec<f64> = posterior.coefficients()[0]
            .iter()
            .zip(&model.columns().scales)
            .map(|(w, scale)| w * scale)
            .collect();
        assert_all_close(&standardized, &parameters[1..], 1e-8);
    }
    let unpenalized = golden()["counts_unpenalized"].as_f64().unwrap();
    assert_close(model.path(&[1e-7]).unwrap()[0].log_likelihood, unpenalized, 1e-10);
}

#[test]
fn rows_with_weights() {
    let golden = &golden()["weighted"];
    let (x, y) = split(&table("../../corpora/tables/diabetes.csv", true), Some("target"));
    let mut weights: Vec<f64> = (0..y.len()).map(|row| 1.0 + (row % 4) as f64).collect();
    let mean = weights.iter().sum::<f64>() / y.len() as f64;
    weights.iter_mut().for_each(|weight| *weight /= mean);
    let model =
        Gaussian::from_rows(x.as_ref(), column(&y), Some(&weights), Options::default()).unwrap();
    for (lambda, expected) in
        numbers(&golden["lambdas"]).iter().zip(golden["ridge"].as_array().unwrap())
    {
        let fit = model.fit(0, *lambda).unwrap();
        assert_all_close(&fit.coefficients, &numbers(&expected["coefficients"]), 1e-9);
        assert_close(fit.intercept, expected["intercept"].as_f64().unwrap(), 1e-9);
    }
    let best = model.evidence(0).unwrap().maximum().point;
    assert_close(best.alpha, golden["alpha"].as_f64().unwrap(), 1e-6);
    assert_close(best.beta, golden["beta"].as_f64().unwrap(), 1e-6);
    assert_close(best.log_evidence, golden["log_evidence"].as_f64().unwrap(), 1e-9);
    assert_all_close(
        &model.fit(0, best.lambda).unwrap().standardized_coefficients,
        &numbers(&golden["coefficients"]),
        1e-6,
    );

    let expected = &golden["above_median"];
    let median = expected["median"].as_f64().unwrap();
    let above: Vec<f64> = y.iter().map(|y| f64::from(u8::from(*y > median))).collect();
    let model =
        Glm::new(x.as_ref(), &above, Some(&weights), Family::Logistic, Options::default()).unwrap();
    let lambda = 1.0 / expected["c"].as_f64().unwrap();
    let (_, posterior) = model.posterior(lambda).unwrap();
    let standardized: Vec<f64> = posterior.coefficients()[0]
        .iter()
        .zip(&model.columns().scales)
        .map(|(w, scale)| w * scale)
        .collect();
    assert_all_close(&standardized, &numbers(&expected["coefficients"]), 1e-6);
}
