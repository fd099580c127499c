//! A precision for each group.

use crate::support::{Random, assert_close, regression};
use faer::Mat;
use wd_evidence::{Gaussian, Options, Statistics, grouped};

fn statistics(x: &Mat<f64>, y: &Mat<f64>) -> Statistics {
    let mut statistics = Statistics::new(x.ncols(), y.ncols()).unwrap();
    statistics.add(x.as_ref(), y.as_ref(), None).unwrap();
    statistics
}

#[test]
fn one_group_is_the_model_without_groups() {
    let (x, y) = regression(1, 80, 6, 2.0);
    let sums = statistics(&x, &y);
    let model = Gaussian::from_statistics(&sums, Options::default()).unwrap();
    let best = model.evidence(0).unwrap().maximum().point;
    let fit = grouped(&sums, 0, &[0; 6], Options::default(), 1000).unwrap();
    assert_close(fit.lambdas[0], best.lambda, 1e-7);
    assert_close(fit.alphas[0], best.alpha, 1e-7);
    assert_close(fit.beta, best.beta, 1e-9);
    assert_close(fit.log_evidence, best.log_evidence, 1e-12);
    assert_close(fit.effective_parameters[0], best.effective_parameters, 1e-7);
    let expected = model.fit(0, best.lambda).unwrap();
    assert_close(fit.coefficients[3], expected.coefficients[3], 1e-7);
    assert_close(fit.intercept, expected.intercept, 1e-7);
}

/// Half of the columns matter: their group keeps a finite λ, the others' coefficients go (all but)
/// to 0.
#[test]
fn groups_tell_signal_from_noise_and_raise_the_evidence() {
    let mut random = Random(3);
    let (rows, columns) = (200, 12);
    let x = random.matrix(rows, columns);
    let weights: Vec<f64> =
        (0..columns).map(|j| if j < 6 { random.normal() } else { 0.0 }).collect();
    let y = Mat::from_fn(rows, 1, |i, _| {
        (0..columns).map(|j| weights[j] * x[(i, j)]).sum::<f64>() + random.normal()
    });
    let sums = statistics(&x, &y);
    let group_of: Vec<usize> = (0..columns).map(|j| j / 6).collect();
    let fit = grouped(&sums, 0, &group_of, Options::default(), 1000).unwrap();
    assert!(fit.lambdas[1] > 50.0 * fit.lambdas[0], "{:?}", fit.lambdas);
    let total = 0.5 * fit.beta * fit.residual_sum_of_squares
        + 0.5
            * (0..columns)
                .map(|j| {
                    let square = fit.standardized_coefficients[j].powi(2);
                    if square == 0.0 { 0.0 } else { fit.alphas[group_of[j]] * square }
                })
                .sum::<f64>();
    assert_close(total, 0.5 * rows as f64, 1e-9);

    let one = Gaussian::from_statistics(&sums, Options::default())
        .unwrap()
        .evidence(0)
        .unwrap()
        .maximum()
        .point;
    assert!(fit.log_evidence > one.log_evidence + 1.0);

    let each: Vec<usize> = (0..columns).collect();
    let relevance = grouped(&sums, 0, &each, Options::default(), 1000).unwrap();
    assert!(relevance.log_evidence >= fit.log_evidence - 1e-9);
    let irrelevant = (6..columns).filter(|&j| relevance.lambdas[j] == f64::INFINITY).count();
    assert!(irrelevant >= 3, "{:?}", relevance.lambdas);
    for j in 0..columns {
        if relevance.lambdas[j] == f64::INFINITY {
            assert_eq!(relevance.coefficients[j], 0.0);
        }
    }
}

#[test]
fn groups_that_do_not_fit_are_refused() {
    let (x, y) = regression(1, 20, 3, 1.0);
    let sums = statistics(&x, &y);
    for groups in [vec![0, 1], vec![0, 2, 2], vec![1, 1, 1]] {
        assert!(grouped(&sums, 0, &groups, Options::default(), 100).is_err(), "{groups:?}");
    }
    assert!(grouped(&sums, 1, &[0, 0, 0], Options::default(), 100).is_err());
    let (x, y) = regression(1, 20, 3, 0.0);
    let error = grouped(&statistics(&x, &y), 0, &[0, 0, 1], Options::default(), 1000).unwrap_err();
    assert!(error.to_string().contains("fit the target exactly"), "{error}");
}
