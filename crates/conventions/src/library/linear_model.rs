//! Estimators: a penalty on an objective that is minimised outright, and the prior it stands for.

use super::entry::{
    Checked, Convention, KeyMeaning::*, LibraryEntry, Likelihood, Method, Optimizer, Penalty,
    Variant, number, required,
};

const COEFFICIENTS: &str = "the coefficients, not the intercept";

const fn golden(version: &'static str, source: &'static str) -> Checked {
    Checked { version, method: Method::Golden, source }
}

const fn sklearn(source: &'static str) -> Checked {
    golden("scikit-learn 1.9.1", source)
}

const fn statsmodels(source: &'static str) -> Checked {
    golden("statsmodels 0.15.0", source)
}

const fn glmnet(source: &'static str) -> Checked {
    Checked { version: "cran/glmnet daf551b", method: Method::Source, source }
}

const fn penalty(penalty: Penalty, likelihood: Likelihood) -> Convention {
    Convention::Penalty { penalty, likelihood }
}

const GLMNET_STANDARDIZE: &str = "by default every column of X is first divided by its standard deviation (over N), and the penalty holds the coefficients of the scaled columns: the call turns that off";

pub(super) const ENTRIES: &[LibraryEntry] = &[
    LibraryEntry {
        name: "sklearn.Ridge",
        aliases: &[],
        optimizer: Optimizer::Estimator,
        variants: &[Variant {
            switches: &[],
            convention: penalty(Penalty::Summed, Likelihood::Squared),
            equation: "‖y − Xw‖² + alpha ‖w‖²",
            call: "sklearn.linear_model.Ridge(alpha={alpha})",
        }],
        keys: &[number("alpha", WeightDecay, 1.0)],
        decays: COEFFICIENTS,
        checked: sklearn("sklearn/linear_model/_ridge.py, Ridge"),
        epsilon_before_correction: false,
        quirks: &[
            "neither term has its ½ and the loss is a sum: alpha is noise variance over prior variance",
        ],
    },
    LibraryEntry {
        name: "sklearn.RidgeCV",
        aliases: &[],
        optimizer: Optimizer::Estimator,
        variants: &[Variant {
            switches: &[],
            convention: penalty(Penalty::Summed, Likelihood::Squared),
            equation: "‖y − Xw‖² + alphas_i ‖w‖², the i with the smallest validation error",
            call: "sklearn.linear_model.RidgeCV(alphas=[{alphas}])",
        }],
        keys: &[required("alphas", WeightDecay)],
        decays: COEFFICIENTS,
        checked: sklearn("sklearn/linear_model/_ridge.py, RidgeCV"),
        epsilon_before_correction: false,
        quirks: &["the default list of alphas is (0.1, 1, 10), whatever N and the scale of y are"],
    },
    LibraryEntry {
        name: "sklearn.ElasticNet",
        aliases: &[],
        optimizer: Optimizer::Estimator,
        variants: &[Variant {
            switches: &[],
            convention: penalty(Penalty::Mean, Likelihood::Squared),
            equation: "‖y − Xw‖²/(2N) + alpha l1_ratio ‖w‖₁ + ½ alpha (1 − l1_ratio) ‖w‖²",
            call: "sklearn.linear_model.ElasticNet(alpha={alpha}, l1_ratio={l1_ratio})",
        }],
        keys: &[number("alpha", WeightDecay, 1.0), number("l1_ratio", L1Ratio, 0.5)],
        decays: COEFFICIENTS,
        checked: sklearn("sklearn/linear_model/_coordinate_descent.py, ElasticNet"),
        epsilon_before_correction: false,
        quirks: &["alpha is divided by N beside Ridge's: the same number is N times as strong"],
    },
    LibraryEntry {
        name: "sklearn.LogisticRegression",
        aliases: &[],
        optimizer: Optimizer::Estimator,
        variants: &[Variant {
            switches: &[],
            convention: penalty(Penalty::Inverse, Likelihood::Logistic),
            equation: "C Σ_i ℓ_i + l1_ratio ‖w‖₁ + ½ (1 − l1_ratio) ‖w‖²",
            call: "sklearn.linear_model.LogisticRegression(C={C}, l1_ratio={l1_ratio})",
        }],
        keys: &[number("C", WeightDecay, 1.0), number("l1_ratio", L1Ratio, 0.0)],
        decays: "the coefficients, not the intercept (the solver liblinear penalises it too)",
        checked: sklearn("sklearn/linear_model/_logistic.py, LogisticRegression"),
        epsilon_before_correction: false,
        quirks: &[
            "it regularises by default: C = 1 is a prior of standard deviation 1",
            "C multiplies the loss: a larger C decays less",
        ],
    },
    LibraryEntry {
        name: "sklearn.PoissonRegressor",
        aliases: &[],
        optimizer: Optimizer::Estimator,
        variants: &[Variant {
            switches: &[],
            convention: penalty(Penalty::Mean, Likelihood::Poisson),
            equation: "Σ_i d_i/(2N) + ½ alpha ‖w‖², with d_i the deviance: ½ d_i is ℓ_i but for a constant",
            call: "sklearn.linear_model.PoissonRegressor(alpha={alpha})",
        }],
        keys: &[number("alpha", WeightDecay, 1.0)],
        decays: COEFFICIENTS,
        checked: Checked {
            version: "scikit-learn 1.9.1",
            method: Method::Source,
            source: "sklearn/linear_model/_glm/glm.py, _GeneralizedLinearRegressor",
        },
        epsilon_before_correction: false,
        quirks: &["it regularises by default, and on the mean loss: LogisticRegression sums"],
    },
    LibraryEntry {
        name: "glmnet.gaussian",
        aliases: &["glmnet"],
        optimizer: Optimizer::Estimator,
        variants: &[Variant {
            switches: &[],
            convention: penalty(Penalty::MeanScaledResponse, Likelihood::Squared),
            equation: "‖y − Xβ‖²/(2N) + λ (α ‖β‖₁ + ½ (1 − α) ‖β‖²/std(y))",
            call: "glmnet(x, y, family = \"gaussian\", alpha = {alpha}, lambda = {lambda}, standardize = FALSE)",
        }],
        keys: &[required("lambda", WeightDecay), number("alpha", L1Ratio, 1.0)],
        decays: COEFFICIENTS,
        checked: glmnet(
            "src/glmnetpp/include/glmnetpp_bits/elnet_driver/gaussian.hpp and standardize.hpp",
        ),
        epsilon_before_correction: false,
        quirks: &[
            "y is scaled to unit variance (over N) inside and λ with it, so that the L2 part is λ/std(y): the documented objective lacks that",
            GLMNET_STANDARDIZE,
        ],
    },
    LibraryEntry {
        name: "glmnet.binomial",
        aliases: &[],
        optimizer: Optimizer::Estimator,
        variants: &[Variant {
            switches: &[],
            convention: penalty(Penalty::Mean, Likelihood::Logistic),
            equation: "Σ_i ℓ_i/N + λ (α ‖β‖₁ + ½ (1 − α) ‖β‖²)",
            call: "glmnet(x, y, family = \"binomial\", alpha = {alpha}, lambda = {lambda}, standardize = FALSE)",
        }],
        keys: &[required("lambda", WeightDecay), number("alpha", L1Ratio, 1.0)],
        decays: COEFFICIENTS,
        checked: glmnet(
            "src/glmnetpp/include/glmnetpp_bits/elnet_driver/binomial.hpp and standardize.hpp",
        ),
        epsilon_before_correction: false,
        quirks: &[GLMNET_STANDARDIZE],
    },
    LibraryEntry {
        name: "glmnet.multinomial",
        aliases: &[],
        optimizer: Optimizer::Estimator,
        variants: &[Variant {
            switches: &[],
            convention: penalty(Penalty::Mean, Likelihood::Logistic),
            equation: "Σ_i ℓ_i/N + λ (α ‖β‖₁ + ½ (1 − α) ‖β‖²), with coefficients for every class",
            call: "glmnet(x, y, family = \"multinomial\", alpha = {alpha}, lambda = {lambda}, standardize = FALSE)",
        }],
        keys: &[required("lambda", WeightDecay), number("alpha", L1Ratio, 1.0)],
        decays: COEFFICIENTS,
        checked: glmnet(
            "src/glmnetpp/include/glmnetpp_bits/elnet_driver/binomial.hpp and standardize.hpp",
        ),
        epsilon_before_correction: false,
        quirks: &[GLMNET_STANDARDIZE],
    },
    LibraryEntry {
        name: "glmnet.poisson",
        aliases: &[],
        optimizer: Optimizer::Estimator,
        variants: &[Variant {
            switches: &[],
            convention: penalty(Penalty::Mean, Likelihood::Poisson),
            equation: "Σ_i ℓ_i/N + λ (α ‖β‖₁ + ½ (1 − α) ‖β‖²)",
            call: "glmnet(x, y, family = \"poisson\", alpha = {alpha}, lambda = {lambda}, standardize = FALSE)",
        }],
        keys: &[required("lambda", WeightDecay), number("alpha", L1Ratio, 1.0)],
        decays: COEFFICIENTS,
        checked: glmnet(
            "src/glmnetpp/include/glmnetpp_bits/elnet_driver/poisson.hpp and standardize.hpp",
        ),
        epsilon_before_correction: false,
        quirks: &[GLMNET_STANDARDIZE],
    },
    LibraryEntry {
        name: "statsmodels.OLS.fit_regularized",
        aliases: &["statsmodels.OLS"],
        optimizer: Optimizer::Estimator,
        variants: &[Variant {
            switches: &[],
            convention: penalty(Penalty::Mean, Likelihood::Squared),
            equation: "½ ‖y − Xw‖²/N + alpha (L1_wt ‖w‖₁ + ½ (1 − L1_wt) ‖w‖²)",
            call: "statsmodels.api.OLS(y, X).fit_regularized(alpha={alpha}, L1_wt={L1_wt})",
        }],
        keys: &[number("alpha", WeightDecay, 0.0), number("L1_wt", L1Ratio, 1.0)],
        decays: "every column of X, that of the intercept included",
        checked: statsmodels(
            "statsmodels/regression/linear_model.py, OLS.fit_regularized and _fit_ridge",
        ),
        epsilon_before_correction: false,
        quirks: &["a column of ones added for the intercept is penalised like the others"],
    },
    LibraryEntry {
        name: "statsmodels.Logit.fit_regularized",
        aliases: &["statsmodels.Logit"],
        optimizer: Optimizer::Estimator,
        variants: &[Variant {
            switches: &[],
            convention: penalty(Penalty::SummedL1, Likelihood::Logistic),
            equation: "Σ_i ℓ_i + alpha ‖w‖₁",
            call: "statsmodels.api.Logit(y, X).fit_regularized(alpha={alpha})",
        }],
        keys: &[required("alpha", WeightDecay)],
        decays: "every column of X, that of the intercept included",
        checked: statsmodels(
            "statsmodels/discrete/discrete_model.py, fit_regularized; statsmodels/base/l1_slsqp.py",
        ),
        epsilon_before_correction: false,
        quirks: &["it has an L1 penalty only, and on the summed loss, unlike OLS and GLM"],
    },
    LibraryEntry {
        name: "statsmodels.GLM.fit_regularized",
        aliases: &["statsmodels.GLM"],
        optimizer: Optimizer::Estimator,
        variants: &[Variant {
            switches: &[],
            convention: penalty(Penalty::Mean, Likelihood::Logistic),
            equation: "Σ_i ℓ_i/N + alpha (L1_wt ‖w‖₁ + ½ (1 − L1_wt) ‖w‖²)",
            call: "statsmodels.api.GLM(y, X, family=statsmodels.api.families.Binomial()).fit_regularized(alpha={alpha}, L1_wt={L1_wt})",
        }],
        keys: &[number("alpha", WeightDecay, 0.0), number("L1_wt", L1Ratio, 1.0)],
        decays: "every column of X, that of the intercept included",
        checked: statsmodels(
            "statsmodels/genmod/generalized_linear_model.py, GLM.fit_regularized; statsmodels/base/elastic_net.py",
        ),
        epsilon_before_correction: false,
        quirks: &["a column of ones added for the intercept is penalised like the others"],
    },
    LibraryEntry {
        name: "laplace.prior_precision",
        aliases: &["laplace.Laplace", "laplace-torch"],
        optimizer: Optimizer::Estimator,
        variants: &[Variant {
            switches: &[],
            convention: penalty(Penalty::PriorPrecision, Likelihood::Any),
            equation: "Σ_i ℓ_i/(σ² T) + ½ δ ‖θ‖², with T = 1; σ is the noise of a regression",
            call: "laplace.Laplace(model, likelihood, prior_precision={prior_precision})",
        }],
        keys: &[number("prior_precision", WeightDecay, 1.0)],
        decays: "every parameter of the approximated layers",
        checked: golden("laplace-torch 0.3", "laplace/baselaplace.py, posterior_precision"),
        epsilon_before_correction: false,
        quirks: &[
            "its likelihood of a regression is a sum of ½(y − f)²/σ²: torch.nn.MSELoss has no ½ and is a mean over N and outputs",
        ],
    },
    LibraryEntry {
        name: "prior.Gaussian",
        aliases: &[],
        optimizer: Optimizer::Estimator,
        variants: &[Variant {
            switches: &[],
            convention: penalty(Penalty::PriorStd, Likelihood::Any),
            equation: "θ ~ N(0, std² I): Σ_i ℓ_i + ‖θ‖²/(2 std²), with ℓ the negative log likelihood",
            call: "θ ~ N(0, {std}²)",
        }],
        keys: &[required("std", WeightDecay)],
        decays: "the weights it is put on",
        checked: Checked {
            version: "Bishop (2006), Pattern Recognition and Machine Learning",
            method: Method::Source,
            source: "section 3.3.1, equations 3.52–3.55",
        },
        epsilon_before_correction: false,
        quirks: &["for a regression the noise counts: give noise_std"],
    },
];
