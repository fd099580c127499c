//! Rows left out: the formulas against refits.

use crate::support::{Random, assert_close, regression};
use faer::Mat;
use wd_evidence::{
    Gaussian, Intercept, LeaveOneOut, Options, Statistics, cross_validate, cross_validate_rows,
};

const LAMBDAS: [f64; 3] = [0.05, 2.0, 300.0];
const INTERCEPTS: [Intercept; 3] = [Intercept::Absent, Intercept::Profiled, Intercept::Integrated];

fn rows_of(matrix: &Mat<f64>, keep: impl Fn(usize) -> bool) -> Mat<f64> {
    let rows: Vec<usize> = (0..matrix.nrows()).filter(|&row| keep(row)).collect();
    Mat::from_fn(rows.len(), matrix.ncols(), |i, j| matrix[(rows[i], j)])
}

#[test]
fn leave_one_out_equals_n_refits() {
    for intercept in INTERCEPTS {
        // Scales belong to the whole table, so that a refit compares only where there are none.
        let options = Options { intercept, standardize: false, ..Options::default() };
        for (rows, columns) in [(25, 4), (12, 20)] {
            let (x, y) = regression(1, rows, columns, 1.0);
            let weights: Vec<f64> = (0..rows).map(|i| [1.0, 0.5, 2.0, 0.0][i % 4]).collect();
            let model =
                Gaussian::from_rows(x.as_ref(), y.as_ref(), Some(&weights), options).unwrap();
            let mut exact = LeaveOneOut::new(&model, 0, &LAMBDAS).unwrap();
            for (start, count) in [(0, 5), (5, rows - 5)] {
                let (x, y) = (x.as_ref().subrows(start, count), y.as_ref().subrows(start, count));
                exact.add(x, y, Some(&weights[start..start + count])).unwrap();
            }
            for (place, &lambda) in LAMBDAS.iter().enumerate() {
                let mut sum = 0.0;
                for left_out in 0..rows {
                    if weights[left_out] == 0.0 {
                        continue;
                    }
                    let kept: Vec<f64> =
                        (0..rows).filter(|&i| i != left_out).map(|i| weights[i]).collect();
                    let (others_x, others_y) =
                        (rows_of(&x, |i| i != left_out), rows_of(&y, |i| i != left_out));
                    let refit = Gaussian::from_rows(
                        others_x.as_ref(),
                        others_y.as_ref(),
                        Some(&kept),
                        options,
                    )
                    .unwrap()
                    .fit(0, lambda)
                    .unwrap();
                    let fitted: f64 =
                        (0..columns).map(|j| refit.coefficients[j] * x[(left_out, j)]).sum();
                    sum +=
                        weights[left_out] * (y[(left_out, 0)] - refit.intercept - fitted).powi(2);
                }
                let expected = sum / weights.iter().sum::<f64>();
                assert_close(exact.mean_squared_errors()[place], expected, 1e-8);
            }
        }
    }
}

#[test]
fn the_dual_leaves_out_as_the_primal_does() {
    let (x, y) = regression(2, 30, 12, 1.0);
    for intercept in INTERCEPTS {
        let options = Options { intercept, standardize: true, ..Options::default() };
        let primal = Gaussian::from_rows(x.as_ref(), y.as_ref(), None, options).unwrap();
        let dual = Gaussian::dual(x.as_ref(), y.as_ref(), None, options).unwrap();
        let mut streamed = LeaveOneOut::new(&primal, 0, &LAMBDAS).unwrap();
        streamed.add(x.as_ref(), y.as_ref(), None).unwrap();
        let at_once = LeaveOneOut::new(&dual, 0, &LAMBDAS).unwrap();
        for (a, b) in streamed.mean_squared_errors().iter().zip(at_once.mean_squared_errors()) {
            assert_close(*a, b, 1e-9);
        }
    }
}

#[test]
fn folds_from_statistics_equal_refits_on_rows() {
    let (x, y) = regression(3, 60, 5, 1.0);
    let fold_of: Vec<usize> = (0..60).map(|i| i % 4).collect();
    for intercept in INTERCEPTS {
        let options = Options { intercept, standardize: true, ..Options::default() };
        let folds: Vec<Statistics> = (0..4)
            .map(|fold| {
                let mut statistics = Statistics::new(5, 1).unwrap();
                let (x, y) =
                    (rows_of(&x, |i| fold_of[i] == fold), rows_of(&y, |i| fold_of[i] == fold));
                statistics.add(x.as_ref(), y.as_ref(), None).unwrap();
                statistics
            })
            .collect();
        let sums = cross_validate(&folds, options, 0, &LAMBDAS).unwrap();
        let rows =
            cross_validate_rows(x.as_ref(), y.as_ref(), None, &fold_of, options, 0, &LAMBDAS)
                .unwrap();
        for place in 0..LAMBDAS.len() {
            assert_close(sums.mean_squared_errors[place], rows.mean_squared_errors[place], 1e-9);
            assert_close(sums.standard_errors[place], rows.standard_errors[place], 1e-8);
        }
    }
}

#[test]
fn as_many_folds_as_rows_are_leave_one_out() {
    let (x, y) = regression(4, 18, 3, 1.0);
    let options = Options::default();
    let model = Gaussian::from_rows(x.as_ref(), y.as_ref(), None, options).unwrap();
    let mut exact = LeaveOneOut::new(&model, 0, &LAMBDAS).unwrap();
    exact.add(x.as_ref(), y.as_ref(), None).unwrap();
    let folds: Vec<usize> = (0..18).collect();
    let refits =
        cross_validate_rows(x.as_ref(), y.as_ref(), None, &folds, options, 0, &LAMBDAS).unwrap();
    for (a, b) in exact.mean_squared_errors().iter().zip(refits.mean_squared_errors) {
        assert_close(*a, b, 1e-9);
    }
}

#[test]
fn intervals_cover_what_they_claim() {
    let mut random = Random(5);
    let (rows, columns) = (60, 10);
    let mut covered = 0;
    let mut predicted = 0;
    for _ in 0..40 {
        // From the prior itself: weights and noise of variance 1.
        let x = random.matrix(rows, columns);
        let weights: Vec<f64> = (0..columns).map(|_| random.normal()).collect();
        let draw = |x: &Mat<f64>, random: &mut Random| {
            Mat::from_fn(x.nrows(), 1, |i, _| {
                (0..columns).map(|j| weights[j] * x[(i, j)]).sum::<f64>() + random.normal()
            })
        };
        let y = draw(&x, &mut random);
        let options =
            Options { intercept: Intercept::Integrated, standardize: true, ..Options::default() };
        let model = Gaussian::from_rows(x.as_ref(), y.as_ref(), None, options).unwrap();
        let best = model.evidence(0).unwrap().maximum();
        let fresh = random.matrix(50, columns);
        let truth = draw(&fresh, &mut random);
        let posterior = model.posterior(0, best.point.lambda).unwrap();
        for (i, prediction) in posterior.predict(fresh.as_ref()).unwrap().iter().enumerate() {
            predicted += 1;
            covered += usize::from(
                (truth[(i, 0)] - prediction.mean).abs() < 1.96 * prediction.variance.sqrt(),
            );
        }
    }
    let share = covered as f64 / predicted as f64;
    assert!(
        (0.93..0.97).contains(&share),
        "{share} of 2000 predictions lie in their 95 % intervals"
    );
}
