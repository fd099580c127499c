//! λ as other libraries count it, each with the call that gives the same fit, by the table of
//! libraries.

use wd_conventions::conversion::Value;
use wd_conventions::{ConventionError, Conversion, Setting, convert};

use super::family::Family;

/// The same penalty in one library.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Convention {
    /// The library.
    pub library: &'static str,
    /// Its name of λ.
    pub name: &'static str,
    /// Its value there.
    pub value: f64,
    /// The call that reproduces the fit.
    pub call: String,
}

/// What a conversion needs besides λ.
pub(super) struct Fitted {
    pub(super) family: Family,
    pub(super) lambda: f64,
    /// Precision of the noise; 1 where the family has none.
    pub(super) beta: f64,
    /// Σw: n without weights.
    pub(super) rows: f64,
    /// Standard deviation of the target, n in the denominator; only of the gaussian family.
    pub(super) target_deviation: f64,
    pub(super) standardize: bool,
}

/// The conventions that users know. Nothing where λ is 0 or infinite, which most of them cannot
/// say; and not those in which a number leaves the range of f64, which the table refuses.
pub(super) fn conventions(fitted: &Fitted) -> Vec<Convention> {
    if !(fitted.lambda.is_finite() && fitted.lambda > 0.0) {
        return Vec::new();
    }
    let mut all: Vec<Convention> = match fitted.setting() {
        Ok(setting) => fitted
            .targets()
            .iter()
            .filter_map(|(library, target)| fitted.convention(library, &setting, target))
            .collect(),
        Err(_) => Vec::new(),
    };
    let loss = match fitted.family {
        Family::Gaussian => "½ Σ(y − ŷ)²",
        Family::Logistic | Family::Softmax | Family::Poisson => "−Σ ln p(y)",
    };
    all.push(Convention {
        library: "summed loss",
        name: "λ",
        value: fitted.lambda,
        call: format!("{loss} + ½λ‖w‖²"),
    });
    all
}

impl Fitted {
    /// The fit as that of scikit-learn's estimator, which leaves the intercept out of the penalty
    /// too.
    fn setting(&self) -> Result<Setting, ConventionError> {
        let Fitted { lambda, rows, .. } = self;
        let data = format!("data={rows:e}");
        if self.family == Family::Gaussian {
            return Setting::read(&[
                "sklearn.Ridge".to_owned(),
                format!("alpha={lambda:e}"),
                format!("noise_std={:e}", self.beta.sqrt().recip()),
                format!("response_std={:e}", self.target_deviation),
                data,
            ]);
        }
        // Beside a summed log likelihood λ is the precision of the prior.
        let prior = Setting::read(&[
            "laplace.prior_precision".to_owned(),
            format!("prior_precision={lambda:e}"),
            data.clone(),
        ])?;
        let [(_, estimator), ..] = self.targets();
        let mut words = vec![estimator.to_owned(), data];
        for (key, value) in convert(&prior, &estimator.parse()?)?.keys {
            if let Value::Number(value) = value {
                words.push(format!("{key}={value:e}"));
            }
        }
        Setting::read(&words)
    }

    /// What users call the libraries, and their entries.
    fn targets(&self) -> [(&'static str, &'static str); 4] {
        const PYTORCH: &str = "PyTorch SGD, mean loss";
        const PRIOR: (&str, &str) = ("Gaussian prior", "prior.Gaussian");
        const LOGISTIC: (&str, &str) =
            ("scikit-learn LogisticRegression", "sklearn.LogisticRegression");
        match self.family {
            Family::Gaussian => [
                ("scikit-learn Ridge", "sklearn.Ridge"),
                ("glmnet", "glmnet.gaussian"),
                (PYTORCH, "torch.SGD loss=mse reduction=mean"),
                PRIOR,
            ],
            Family::Logistic => [
                LOGISTIC,
                ("glmnet", "glmnet.binomial"),
                (PYTORCH, "torch.SGD loss=nll reduction=mean"),
                PRIOR,
            ],
            Family::Softmax => [
                LOGISTIC,
                ("glmnet", "glmnet.multinomial"),
                (PYTORCH, "torch.SGD loss=nll reduction=mean"),
                PRIOR,
            ],
            Family::Poisson => [
                ("scikit-learn PoissonRegressor", "sklearn.PoissonRegressor"),
                ("glmnet", "glmnet.poisson"),
                (PYTORCH, "torch.SGD loss=nll reduction=mean"),
                PRIOR,
            ],
        }
    }

    fn convention(
        &self,
        library: &'static str,
        setting: &Setting,
        target: &str,
    ) -> Option<Convention> {
        let converted = convert(setting, &target.parse().ok()?).ok()?;
        let own = converted.entry.lambda_name();
        Some(Convention {
            library,
            name: if own == "std" { "σ" } else { own },
            value: converted.lambda()?,
            call: self.call(&converted)?,
        })
    }

    /// The table's call, on columns as they entered the fit, and carried on until it gives the same
    /// fit.
    fn call(&self, converted: &Conversion) -> Option<String> {
        let call = converted.call.clone()?;
        let with = |more: &str| call.strip_suffix(')').map(|call| format!("{call}, {more})"));
        let class = converted.entry.class();
        Some(match converted.entry.name.split('.').next()? {
            "sklearn" => {
                let estimator = match class {
                    "Ridge" => call,
                    // The default tolerances leave coefficients three digits.
                    _ => with("tol=1e-10, max_iter=10000")?,
                };
                let estimator = estimator.trim_start_matches("sklearn.linear_model.");
                match self.standardize {
                    true => format!("make_pipeline(StandardScaler(), {estimator}).fit(X, y)"),
                    false => format!("{estimator}.fit(X, y)"),
                }
            }
            "glmnet" => {
                let call = with("thresh = 1e-14")?;
                match self.standardize {
                    true => call.replace("standardize = FALSE", "standardize = TRUE"),
                    false => call,
                }
            }
            "torch" => {
                let loss = match self.family {
                    Family::Gaussian => "MSELoss",
                    Family::Logistic => "BCEWithLogitsLoss",
                    Family::Softmax => "CrossEntropyLoss",
                    Family::Poisson => "PoissonNLLLoss",
                };
                format!("{call}  # loss: torch.nn.{loss}(), all rows a step")
            }
            _ => call,
        })
    }
}
