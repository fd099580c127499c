"""Makes golden.json: what scikit-learn and statsmodels find on the tables that the tests read.

    python crates/evidence/tests/golden/golden.py

Needs scikit-learn 1.9, statsmodels 0.15, pandas. Columns are standardised by StandardScaler (n in the denominator), and iterations
go on far beyond their default tolerance, so that what is left is the difference of the methods. BayesianRidge's four hyper-priors are 0: with
its defaults of 1e-6 it maximises another function. Poisson counts are the target of diabetes divided by 10 and rounded.
"""

import json
import pathlib

import numpy as np
import pandas as pd
import statsmodels.api as sm
from sklearn.linear_model import BayesianRidge, LogisticRegression, Ridge, RidgeCV
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler

HERE = pathlib.Path(__file__).parent
TABLES = HERE.parents[3] / "corpora" / "tables"
LAMBDAS = [0.01, 1.0, 30.0, 1000.0]


def gaussian(frame, target):
    raw = frame.drop(columns=target).to_numpy(float)
    y = frame[target].to_numpy(float)
    x = StandardScaler().fit_transform(raw)
    out = {"lambdas": LAMBDAS}
    bayes = dict(alpha_1=0, alpha_2=0, lambda_1=0, lambda_2=0, tol=1e-13 * np.abs(y).max(), max_iter=200_000, compute_score=True)
    for name, intercept in (("profiled", True), ("absent", False)):
        model = BayesianRidge(fit_intercept=intercept, **bayes).fit(x, y)
        _, deviations = model.predict(x[:5], return_std=True)
        out[name] = {
            "alpha": float(model.lambda_),
            "beta": float(model.alpha_),
            "log_evidence": float(model.scores_[-1]),
            "coefficients": model.coef_.tolist(),
            "predictive_deviations": deviations.tolist(),
            "iterations": model.n_iter_,
        }
    scale = raw.std(axis=0)
    scale[scale == 0] = 1
    out["ridge"] = []
    for alpha in LAMBDAS:
        model = Ridge(alpha=alpha, solver="svd").fit(x, y)
        coefficients = model.coef_ / scale
        out["ridge"].append({"coefficients": coefficients.tolist(), "intercept": float(y.mean() - raw.mean(axis=0) @ coefficients)})
    loo = RidgeCV(alphas=LAMBDAS, store_cv_results=True).fit(x, y)
    out["leave_one_out"] = loo.cv_results_.mean(axis=0).tolist()
    folds = np.arange(len(y)) % 5
    errors = np.zeros(len(LAMBDAS))
    for fold in range(5):
        for i, alpha in enumerate(LAMBDAS):
            model = Ridge(alpha=alpha, solver="svd").fit(x[folds != fold], y[folds != fold])
            errors[i] += ((model.predict(x[folds == fold]) - y[folds == fold]) ** 2).sum()
    out["five_folds"] = (errors / len(y)).tolist()
    return out


def logistic(x, y, c):
    model = LogisticRegression(C=c, solver="newton-cholesky", tol=1e-13, max_iter=1000).fit(StandardScaler().fit_transform(x), y)
    probabilities = model.predict_proba(StandardScaler().fit_transform(x)[:5])
    return {"c": c, "coefficients": model.coef_.tolist(), "intercepts": model.intercept_.tolist(), "probabilities": probabilities.tolist()}


def poisson(x, y, penalty):
    """Penalty λ on the standardised weights: statsmodels minimises -ℓ/n + ½ alpha‖w‖²."""
    design = sm.add_constant(StandardScaler().fit_transform(x))
    alphas = np.full(design.shape[1], penalty / len(y))
    alphas[0] = 0
    # Newton's method on the same objective, since fit_regularized(L1_wt=0) stops at about 1e-6.
    model = sm.GLM(y, design, family=sm.families.Poisson())
    parameters = model.fit_regularized(alpha=alphas, L1_wt=0, maxiter=1000).params
    for _ in range(20):
        gradient = model.score(parameters) - len(y) * alphas * parameters
        parameters = parameters - np.linalg.solve(model.hessian(parameters) - len(y) * np.diag(alphas), gradient)
    return {"lambda": penalty, "parameters": parameters.tolist(), "log_likelihood": float(model.loglike(parameters))}


def weighted(frame, target):
    """Rows of weights 1, 2, 3, 4, 1, …, divided by their mean: with Σw = n BayesianRidge's α and β are this crate's."""
    raw = frame.drop(columns=target).to_numpy(float)
    y = frame[target].to_numpy(float)
    w = 1.0 + np.arange(len(y)) % 4
    w /= w.mean()
    scaler = StandardScaler().fit(raw, sample_weight=w)
    x = scaler.transform(raw)
    ridge = []
    for alpha in LAMBDAS:
        model = Ridge(alpha=alpha, solver="cholesky").fit(x, y, sample_weight=w)
        coefficients = model.coef_ / scaler.scale_
        ridge.append({"coefficients": coefficients.tolist(), "intercept": float(model.intercept_ - scaler.mean_ @ coefficients)})
    bayes = BayesianRidge(alpha_1=0, alpha_2=0, lambda_1=0, lambda_2=0, tol=1e-13 * np.abs(y).max(), max_iter=200_000, compute_score=True)
    bayes.fit(x, y, sample_weight=w)
    above = (y > np.median(y)).astype(int)
    classes = LogisticRegression(C=0.1, solver="newton-cholesky", tol=1e-13, max_iter=1000).fit(x, above, sample_weight=w)
    return {
        "lambdas": LAMBDAS,
        "ridge": ridge,
        "alpha": float(bayes.lambda_),
        "beta": float(bayes.alpha_),
        # Theirs lacks ½ Σ ln w, which no parameter sees.
        "log_evidence": float(bayes.scores_[-1] + 0.5 * np.log(w).sum()),
        "coefficients": bayes.coef_.tolist(),
        "above_median": {"c": 0.1, "median": float(np.median(y)), "coefficients": classes.coef_[0].tolist()},
    }


def main():
    diabetes = pd.read_csv(TABLES / "diabetes.csv")
    cancer = pd.read_csv(TABLES / "breast_cancer.csv")
    digits = pd.read_csv(TABLES / "digits.csv.gz", header=None)
    counts = np.round(diabetes["target"] / 10).to_numpy()
    predictors = diabetes.drop(columns="target").to_numpy()
    golden = {
        "diabetes": gaussian(diabetes, "target"),
        "concrete": gaussian(pd.read_csv(HERE / "concrete.csv"), "compressive_strength"),
        "ames": gaussian(pd.read_csv(HERE / "ames.csv"), "Sale_Price"),
        "weighted": weighted(diabetes, "target"),
        "breast_cancer": [logistic(cancer.drop(columns="benign").to_numpy(), cancer["benign"].to_numpy(), c) for c in (0.01, 1.0, 100.0)],
        "digits": [logistic(digits.iloc[:, :64].to_numpy(), digits[64].to_numpy(), c) for c in (0.01, 1.0)],
        "counts": [poisson(predictors, counts, penalty) for penalty in (1.0, 100.0)],
        "counts_unpenalized": float(sm.Poisson(counts, sm.add_constant(StandardScaler().fit_transform(predictors))).fit(disp=0, tol=1e-12).llf),
    }
    (HERE / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
