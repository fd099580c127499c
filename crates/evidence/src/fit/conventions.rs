//! λ as other libraries count it, each with the call that gives the same fit, by the table of
//! libraries. What a library's call cannot say is not printed.

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
    /// The call that reproduces the fit. `X` and `y` are columns and target as they were fitted,
    /// `w` the weights of the rows, `exposure` their exposures.
    pub call: String,
}

/// What a conversion needs besides λ.
pub(super) struct Fitted {
    pub(super) family: Family,
    pub(super) lambda: f64,
    /// Precision of the noise; 1 where the family has none.
    pub(super) beta: f64,
    /// Σw: the number of rows without weights.
    pub(super) rows: f64,
    /// Standard deviation of the target, n in the denominator; only of the gaussian family.
    pub(super) target_deviation: f64,
    pub(super) standardize: bool,
    pub(super) has_intercept: bool,
    pub(super) has_weights: bool,
    /// Σ w · exposure, where there are exposures.
    pub(super) exposure: Option<f64>,
    /// Classes of the target.
    pub(super) classes: usize,
}

/// What the libraries' calls are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Library {
    ScikitLearn,
    Glmnet,
    Torch,
    Prior,
}

/// The conventions that users know. Nothing where λ is 0 or infinite, which most of them cannot
/// say; and not those in which a number leaves the range of f64, which the table refuses.
pub(super) fn conventions(fitted: &Fitted) -> Vec<Convention> {
    if !(fitted.lambda.is_finite() && fitted.lambda > 0.0) {
        return Vec::new();
    }
    let libraries = [Library::ScikitLearn, Library::Glmnet, Library::Torch, Library::Prior];
    let mut all: Vec<Convention> =
        libraries.into_iter().filter_map(|library| fitted.convention(library)).collect();
    let each = if fitted.has_weights { "Σ w" } else { "Σ" };
    let call = match fitted.family {
        Family::Gaussian => format!("½ {each} (y − ŷ)² + ½λ‖coefficients‖²"),
        Family::Logistic | Family::Softmax | Family::Poisson => {
            format!("−{each} ln p(y) + ½λ‖coefficients‖²")
        }
    };
    all.push(Convention { library: "summed loss", name: "λ", value: fitted.lambda, call });
    all
}

impl Fitted {
    /// The fit in one library, where that can say it.
    fn convention(&self, library: Library) -> Option<Convention> {
        let (name, target) = self.target(library)?;
        let converted = convert(&self.setting(library).ok()?, &target.parse().ok()?).ok()?;
        let own = converted.entry.lambda_name();
        Some(Convention {
            library: name,
            name: if own == "std" { "σ" } else { own },
            value: converted.lambda()?,
            call: self.call(library, &converted)?,
        })
    }

    /// What users call a library, and its entry; nothing where it has no such fit.
    fn target(&self, library: Library) -> Option<(&'static str, &'static str)> {
        let is_plain = !self.has_weights && self.exposure.is_none();
        Some(match (library, self.family) {
            (Library::ScikitLearn, Family::Gaussian) => ("scikit-learn Ridge", "sklearn.Ridge"),
            (Library::ScikitLearn, Family::Poisson) => {
                ("scikit-learn PoissonRegressor", "sklearn.PoissonRegressor")
            }
            // Of two classes it has one list of coefficients, where softmax has two.
            (Library::ScikitLearn, Family::Softmax) if self.classes < 3 => return None,
            (Library::ScikitLearn, Family::Logistic | Family::Softmax) => {
                ("scikit-learn LogisticRegression", "sklearn.LogisticRegression")
            }
            // Without an intercept glmnet scales the response in another way.
            (Library::Glmnet, Family::Gaussian) if !self.has_intercept => return None,
            (Library::Glmnet, Family::Gaussian) => ("glmnet", "glmnet.gaussian"),
            (Library::Glmnet, Family::Logistic) => ("glmnet", "glmnet.binomial"),
            (Library::Glmnet, Family::Softmax) => ("glmnet", "glmnet.multinomial"),
            (Library::Glmnet, Family::Poisson) => ("glmnet", "glmnet.poisson"),
            // Its losses of one argument know neither weights nor exposures.
            (Library::Torch, _) if !is_plain => return None,
            (Library::Torch, Family::Gaussian) => {
                ("PyTorch SGD, mean loss", "torch.SGD loss=mse reduction=mean")
            }
            (Library::Torch, _) => ("PyTorch SGD, mean loss", "torch.SGD loss=nll reduction=mean"),
            (Library::Prior, _) => ("Gaussian prior", "prior.Gaussian"),
        })
    }

    /// The fit as that of an estimator that leaves the intercept out of the penalty too.
    fn setting(&self, library: Library) -> Result<Setting, ConventionError> {
        let lambda = self.lambda;
        let rows = match (library, self.exposure) {
            // Counts with exposures are rates there, weighted by them.
            (Library::ScikitLearn, Some(exposure)) => exposure,
            _ => self.rows,
        };
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
        let estimator = match self.family {
            Family::Poisson => "sklearn.PoissonRegressor",
            _ => "sklearn.LogisticRegression",
        };
        let mut words = vec![estimator.to_owned(), data];
        for (key, value) in convert(&prior, &estimator.parse()?)?.keys {
            if let Value::Number(value) = value {
                words.push(format!("{key}={value:e}"));
            }
        }
        Setting::read(&words)
    }

    /// The table's call, on columns as they entered the fit, and carried on until it gives the same
    /// fit.
    fn call(&self, library: Library, converted: &Conversion) -> Option<String> {
        let call = converted.call.clone()?;
        match library {
            Library::ScikitLearn => self.scikit_learn(&call, converted.entry.class()),
            Library::Glmnet => self.glmnet(&call),
            Library::Torch => self.torch(&call),
            Library::Prior => Some(call),
        }
    }

    fn scikit_learn(&self, call: &str, class: &str) -> Option<String> {
        let mut arguments = String::new();
        if !self.has_intercept {
            arguments.push_str(", fit_intercept=False");
        }
        // The default tolerances leave coefficients three digits.
        arguments.push_str(match class {
            "Ridge" => "",
            _ => ", tol=1e-10, max_iter=10000",
        });
        let estimator = format!("{}{arguments})", call.strip_suffix(')')?);
        let estimator = estimator.trim_start_matches("sklearn.linear_model.");
        let target = if self.exposure.is_some() { "y / exposure" } else { "y" };
        let weights = match (self.has_weights, self.exposure.is_some()) {
            (false, false) => None,
            (true, false) => Some("w"),
            (false, true) => Some("exposure"),
            (true, true) => Some("w * exposure"),
        };
        if !self.standardize {
            let weights = weights.map_or(String::new(), |w| format!(", sample_weight={w}"));
            return Some(format!("{estimator}.fit(X, {target}{weights})"));
        }
        let scaler = match self.has_intercept {
            true => "StandardScaler()",
            false => "StandardScaler(with_mean=False)",
        };
        let step = class.to_lowercase();
        let mut fit = format!("X, {target}");
        if self.has_weights {
            fit.push_str(", standardscaler__sample_weight=w");
        }
        if let Some(weights) = weights {
            fit.push_str(&format!(", {step}__sample_weight={weights}"));
        }
        Some(format!("make_pipeline({scaler}, {estimator}).fit({fit})"))
    }

    fn glmnet(&self, call: &str) -> Option<String> {
        let mut arguments = String::new();
        if self.has_weights {
            arguments.push_str(", weights = w");
        }
        if self.exposure.is_some() {
            arguments.push_str(", offset = log(exposure)");
        }
        if !self.has_intercept {
            arguments.push_str(", intercept = FALSE");
        }
        let call = format!("{}{arguments}, thresh = 1e-14)", call.strip_suffix(')')?);
        Some(match self.standardize {
            true => call.replace("standardize = FALSE", "standardize = TRUE"),
            false => call,
        })
    }

    fn torch(&self, call: &str) -> Option<String> {
        let loss = match self.family {
            Family::Gaussian => "MSELoss",
            Family::Logistic => "BCEWithLogitsLoss",
            Family::Softmax => "CrossEntropyLoss",
            Family::Poisson => "PoissonNLLLoss",
        };
        if !self.has_intercept && call.contains("bias") {
            return None;
        }
        let columns = if self.standardize { ", on standardised columns" } else { "" };
        Some(format!("{call}  # loss: torch.nn.{loss}(), all rows a step{columns}"))
    }
}
