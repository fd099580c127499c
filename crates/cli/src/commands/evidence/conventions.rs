//! λ as other libraries count it, each with the call that gives the same fit.

use super::Family;

/// The same penalty in one library.
#[derive(Debug, Clone, serde::Serialize)]
pub(super) struct Convention {
    pub(super) library: &'static str,
    /// Its name of λ.
    pub(super) name: &'static str,
    /// Its value there.
    pub(super) value: f64,
    /// The call that reproduces the fit.
    pub(super) call: String,
}

/// What a conversion needs besides λ.
pub(super) struct Setting {
    pub(super) family: Family,
    pub(super) lambda: f64,
    pub(super) alpha: f64,
    /// Σw: n without weights.
    pub(super) rows: f64,
    /// Standard deviation of the target, n in the denominator.
    pub(super) target_deviation: f64,
    pub(super) standardize: bool,
}

/// The conventions that users know. Nothing where λ is 0 or infinite, which most of them cannot say.
///
/// scikit-learn: `Ridge` minimises Σ(y − ŷ)² + alpha‖w‖², `LogisticRegression` C Σ loss + ½‖w‖², `PoissonRegressor`
/// Σ loss/n + ½ alpha‖w‖² (sklearn 1.9, user guide 1.1). glmnet: Σ(y − ŷ)²/2n + ½ lambda‖w‖²/sd(y) for ridge, since it scales y to
/// unit variance, and Σ loss/n + ½ lambda‖w‖² for other families (glmnet 4.1, `elnet`). PyTorch: weight_decay adds
/// ½ weight_decay‖w‖² to the *mean* loss, and `MSELoss` has no ½.
pub(super) fn conventions(setting: &Setting) -> Vec<Convention> {
    let Setting {
        family,
        lambda,
        alpha,
        rows,
        ..
    } = *setting;
    if !(lambda.is_finite() && lambda > 0.0) {
        return Vec::new();
    }
    let sklearn = |estimator: String| match setting.standardize {
        true => format!("make_pipeline(StandardScaler(), {estimator}).fit(X, y)"),
        false => format!("{estimator}.fit(X, y)"),
    };
    let glmnet = |family: &str, value: f64| {
        let standardize = if setting.standardize { "TRUE" } else { "FALSE" };
        format!(
            "glmnet(X, y, family = \"{family}\", alpha = 0, lambda = {}, standardize = {standardize}, thresh = 1e-14)",
            digits(value)
        )
    };
    let sgd = |loss: &str, value: f64| {
        format!(
            "torch.optim.SGD([{{\"params\": [model.weight], \"weight_decay\": {}}}, {{\"params\": [model.bias]}}], lr=…)  # loss: {loss}(), all rows a step",
            digits(value)
        )
    };
    let convention = |library, name, value, call| Convention {
        library,
        name,
        value,
        call,
    };
    let mut all = match family {
        Family::Gaussian => {
            let (mean, scaled) = (
                2.0 * lambda / rows,
                lambda * setting.target_deviation / rows,
            );
            vec![
                convention(
                    "scikit-learn Ridge",
                    "alpha",
                    lambda,
                    sklearn(format!("Ridge(alpha={})", digits(lambda))),
                ),
                convention("glmnet", "lambda", scaled, glmnet("gaussian", scaled)),
                convention(
                    "PyTorch SGD, mean loss",
                    "weight_decay",
                    mean,
                    sgd("torch.nn.MSELoss", mean),
                ),
            ]
        }
        Family::Logistic | Family::Softmax => {
            let (inverse, mean) = (1.0 / lambda, lambda / rows);
            let (glmnet_family, loss) = match family {
                Family::Softmax => ("multinomial", "torch.nn.CrossEntropyLoss"),
                _ => ("binomial", "torch.nn.BCEWithLogitsLoss"),
            };
            vec![
                convention(
                    "scikit-learn LogisticRegression",
                    "C",
                    inverse,
                    sklearn(format!(
                        "LogisticRegression(C={}, tol=1e-10, max_iter=10000)",
                        digits(inverse)
                    )),
                ),
                convention("glmnet", "lambda", mean, glmnet(glmnet_family, mean)),
                convention(
                    "PyTorch SGD, mean loss",
                    "weight_decay",
                    mean,
                    sgd(loss, mean),
                ),
            ]
        }
        Family::Poisson => {
            let mean = lambda / rows;
            vec![
                convention(
                    "scikit-learn PoissonRegressor",
                    "alpha",
                    mean,
                    sklearn(format!(
                        "PoissonRegressor(alpha={}, tol=1e-10, max_iter=10000)",
                        digits(mean)
                    )),
                ),
                convention("glmnet", "lambda", mean, glmnet("poisson", mean)),
                convention(
                    "PyTorch SGD, mean loss",
                    "weight_decay",
                    mean,
                    sgd("torch.nn.PoissonNLLLoss", mean),
                ),
            ]
        }
    };
    let deviation = 1.0 / alpha.sqrt();
    all.push(convention(
        "Gaussian prior",
        "σ",
        deviation,
        format!("w ~ N(0, σ²), σ = 1/√α = {}", digits(deviation)),
    ));
    let loss = match family {
        Family::Gaussian => "½ Σ(y − ŷ)²",
        Family::Logistic | Family::Softmax | Family::Poisson => "−Σ ln p(y)",
    };
    all.push(convention(
        "summed loss",
        "λ",
        lambda,
        format!("{loss} + ½λ‖w‖², λ = {}", digits(lambda)),
    ));
    all
}

/// Ten significant digits: enough to reproduce a fit, and no more than can be read.
fn digits(value: f64) -> String {
    let rounded: f64 = format!("{value:.9e}").parse().unwrap_or(value);
    if (1e-4..1e7).contains(&rounded.abs()) {
        format!("{rounded}")
    } else {
        format!("{rounded:e}")
    }
}
