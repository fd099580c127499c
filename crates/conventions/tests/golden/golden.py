"""Makes golden.json: what each library of the table does, for `tests/golden.rs` to follow.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python golden.py

It writes 50 steps of every optimizer on a recorded sequence of gradients, under a learning rate that
warms up and falls as a cosine (else nothing would tell a decay that follows the rate from one that
does not), and fitted coefficients of every estimator.

For the optimizers whose update is not worth rewriting (NAdam, RAdam, Adafactor, Muon) it also records
the update itself: the same optimizer without decay, started at each step from the same weights, with
the gradient that a coupled decay leaves it. What is then left to explain is the decay alone.
"""

import importlib.metadata
import json
import math
import pathlib
import sys
import warnings

import numpy as np

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE / "../../../cli/src/commands/convert"))
import check  # noqa: E402

STEPS, WARMUP, FLOOR = 50, 5, 0.1
RUN = f"schedule=cosine,warmup={WARMUP},floor={FLOOR} steps={STEPS}"


def factor(step):
    if step < WARMUP:
        return (step + 1) / (WARMUP + 1)
    progress = (step - WARMUP) / (STEPS - WARMUP)
    return FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * progress))


random = np.random.default_rng(20261124)
START = random.normal(size=6)
# A pull towards fixed points with noise on it, so that signs change.
GRADIENTS = random.normal(size=6) + random.normal(size=(STEPS, 6))

# (words, keys that the words stand for in the library, whether the update is recorded)
ADAM = dict(beta1=0.9, beta2=0.999, eps=1e-8)
CASES = [
    ("torch.SGD lr=0.05 weight_decay=0.5", {}, False),
    ("torch.SGD lr=0.05 weight_decay=0.5 momentum=0.9", {}, False),
    ("torch.SGD lr=0.05 weight_decay=0.5 momentum=0.9 dampening=0.3", {}, False),
    ("torch.SGD lr=0.05 weight_decay=0.5 momentum=0.9 nesterov=true", {}, False),
    ("torch.Adam lr=0.01 weight_decay=0.5", ADAM, False),
    ("torch.Adam lr=0.01 weight_decay=0.5 decoupled_weight_decay=true", ADAM, False),
    ("torch.AdamW lr=0.01 weight_decay=0.5 beta2=0.95", {**ADAM, "beta2": 0.95}, False),
    ("torch.NAdam lr=0.01 weight_decay=0.5", ADAM, True),
    ("torch.NAdam lr=0.01 weight_decay=0.5 decoupled_weight_decay=true", ADAM, True),
    ("torch.RAdam lr=0.01 weight_decay=0.5", ADAM, True),
    ("torch.RAdam lr=0.01 weight_decay=0.5 decoupled_weight_decay=true", ADAM, True),
    ("torch.Adafactor lr=0.01 weight_decay=0.5", {}, True),
    ("torch.Muon lr=0.01 weight_decay=0.5", dict(momentum=0.95, nesterov=True), True),
    ("optax.adamw learning_rate=0.01 weight_decay=0.5", dict(b1=0.9, b2=0.999, eps=1e-8), False),
    ("optax.lion learning_rate=0.01 weight_decay=0.5", dict(b1=0.9, b2=0.99), False),
    ("optax.muon learning_rate=0.01 weight_decay=0.5", dict(beta=0.95, nesterov=True), True),
    ("optax.sgd learning_rate=0.05 weight_decay=0.5 momentum=0.9", dict(nesterov=False), False),
    ("optax.sgd learning_rate=0.05 weight_decay=0.5 momentum=0.9 nesterov=true", {}, False),
    ("keras.AdamW learning_rate=0.01 weight_decay=0.5", dict(beta_1=0.9, beta_2=0.999, epsilon=1e-7), False),
    ("keras.L2 l2=0.25", {}, False),
    ("timm.AdamW lr=0.01 weight_decay=0.5", ADAM, False),
    ("timm.AdamW lr=0.01 weight_decay=0.5 corrected_weight_decay=true", ADAM, False),
    ("timm.SGDW lr=0.05 weight_decay=0.5 momentum=0.9", dict(dampening=0.0, nesterov=False), False),
    ("timm.SGDW lr=0.05 weight_decay=0.5 momentum=0.9 corrected_weight_decay=true", dict(dampening=0.0, nesterov=False), False),
    ("optimi.AdamW lr=0.01 weight_decay=0.5", dict(beta1=0.9, beta2=0.99, eps=1e-6), False),
    ("optimi.AdamW lr=0.01 weight_decay=0.005 decouple_lr=true", dict(beta1=0.9, beta2=0.99, eps=1e-6), False),
    ("optimi.Adam lr=0.01 weight_decay=0.5", dict(beta1=0.9, beta2=0.99, eps=1e-6), False),
    ("optimi.Adam lr=0.01 weight_decay=0.5 decouple_wd=true", dict(beta1=0.9, beta2=0.99, eps=1e-6), False),
    ("optimi.Adam lr=0.01 weight_decay=0.005 decouple_lr=true", dict(beta1=0.9, beta2=0.99, eps=1e-6), False),
    ("optimi.SGD lr=0.05 weight_decay=0.5 momentum=0.9", {}, False),
    ("optimi.SGD lr=0.05 weight_decay=0.5 momentum=0.9 decouple_wd=true", {}, False),
    ("optimi.SGD lr=0.05 weight_decay=0.005 momentum=0.9 decouple_lr=true", {}, False),
    ("optimi.Lion lr=0.01 weight_decay=0.5", dict(beta1=0.9, beta2=0.99), False),
    ("optimi.Lion lr=0.01 weight_decay=0.005 decouple_lr=true", dict(beta1=0.9, beta2=0.99), False),
    ("pytorch_optimizer.Lion lr=0.01 weight_decay=0.5", dict(beta1=0.9, beta2=0.99), False),
    ("pytorch_optimizer.Lion lr=0.01 weight_decay=0.005 fixed_decay=true", dict(beta1=0.9, beta2=0.99), False),
    ("pytorch_optimizer.Lion lr=0.01 weight_decay=0.5 weight_decouple=false", dict(beta1=0.9, beta2=0.99), False),
    ("pytorch_optimizer.RAdam lr=0.01 weight_decay=0.5", ADAM, True),
    ("pytorch_optimizer.RAdam lr=0.01 weight_decay=0.005 fixed_decay=true", ADAM, True),
    ("pytorch_optimizer.RAdam lr=0.01 weight_decay=0.5 weight_decouple=false", ADAM, True),
]


def value(text):
    return {"true": True, "false": False}[text] if text in ("true", "false") else float(text)


def keys_of(words, more):
    return {**more, **{key: value(text) for key, text in (word.split("=") for word in words.split()[1:])}}


def trajectory(words, more, record):
    entry = words.split()[0]
    keys = keys_of(words, more)
    # keras.L2 has no learning rate of its own: it is run under SGD.
    peak = keys.get("lr", keys.get("learning_rate", 0.05))
    rates = [peak * factor(step) for step in range(STEPS)]
    problem = dict(rates=rates, weights=START.tolist(), gradients=GRADIENTS.tolist())
    run = check.STEPS[entry.partition(".")[0]]
    path = run(entry, keys, problem)
    case = dict(setting=f"{words} {RUN}", weights=[step.ravel().tolist() for step in path])
    if record:
        case.update(updates(run, entry, keys, problem, path))
    return case


def updates(run, entry, keys, problem, path):
    """The update u_t beside the decay, and the gradient that it was made of."""
    decay = keys["weight_decay"]
    without = {**keys, "weight_decay": 0.0}
    # pytorch_optimizer.RAdam has a switch for a coupled decay too, which does nothing.
    coupled = entry in ("torch.NAdam", "torch.RAdam") and "decoupled_weight_decay" not in keys
    fed = []

    def before(step, _, gradient):
        if coupled:
            gradient = gradient + decay * path[step]
        fed.append(gradient.ravel().tolist())
        return path[step], gradient

    after = run(entry, without, problem, before)[1:]
    moved = [(start - end) / rate for start, end, rate in zip(path, after, problem["rates"])]
    return dict(updates=[update.ravel().tolist() for update in moved], fed=fed)


N = 40
X = random.normal(size=(N, 3)) * np.array([1.0, 0.5, 2.0])
Y = X @ np.array([1.0, -2.0, 0.05]) + 0.5 * random.normal(size=N)
Y2 = np.stack([Y, X @ np.array([-0.5, 0.3, 1.0]) + 0.5 * random.normal(size=N)], axis=1)
LABELS = (X @ np.array([1.0, -2.0, 0.05]) + random.logistic(size=N) > 0).astype(float)
FITS = [
    ("sklearn.Ridge alpha=3", {}, "y"),
    ("sklearn.RidgeCV alphas=3", {}, "y"),
    ("sklearn.ElasticNet alpha=0.1 l1_ratio=0.5", {}, "y"),
    ("sklearn.ElasticNet alpha=0.3 l1_ratio=0.9", {}, "y"),
    ("statsmodels.OLS.fit_regularized alpha=0.1 L1_wt=0", {}, "y"),
    ("statsmodels.OLS.fit_regularized alpha=0.1 L1_wt=0.5", {}, "y"),
    ("torch.SGD weight_decay=0.1 loss=mse", {}, "y"),
    ("torch.SGD weight_decay=0.1 loss=mse outputs=2", {}, "y2"),
    ("torch.SGD weight_decay=0.1 loss=half-mse outputs=2", {}, "y2"),
    ("torch.SGD weight_decay=3 loss=mse reduction=sum", {}, "y"),
    ("torch.SGD weight_decay=3 loss=half-mse reduction=sum outputs=2", {}, "y2"),
    ("sklearn.LogisticRegression C=0.5", dict(l1_ratio=0.0), "labels"),
    ("sklearn.LogisticRegression C=0.2 l1_ratio=0.5", {}, "labels"),
    ("statsmodels.GLM.fit_regularized alpha=0.1 L1_wt=0", {}, "labels"),
    ("statsmodels.GLM.fit_regularized alpha=0.1 L1_wt=0.5", {}, "labels"),
    ("statsmodels.Logit.fit_regularized alpha=2", {}, "labels"),
    ("torch.SGD weight_decay=0.05 loss=nll", {}, "labels"),
    ("torch.SGD weight_decay=2 loss=nll reduction=sum", {}, "labels"),
]


def fitted(words, more, target):
    entry, *rest = words.split()
    text = dict(word.split("=") for word in rest)
    loss, reduction = text.pop("loss", "nll"), text.pop("reduction", "mean")
    text.pop("outputs", None)
    keys = {**more, **{key: float(number) for key, number in text.items()}}
    data = dict(x=X, y=Y2 if target == "y2" else Y, labels=LABELS)
    coefficients = np.atleast_2d(check.fit(entry, keys, data, loss, reduction))
    return dict(setting=f"{words} data={N}", target=target, coefficients=coefficients.tolist())


def laplace():
    """The posterior precision of a linear regression with noise, and of a classification."""
    import laplace as laplace_torch
    import torch
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    cases = []
    for likelihood, keys in (("regression", dict(prior_precision=2.5, sigma_noise=0.5)),
                             ("regression", dict(prior_precision=0.1, sigma_noise=2.0))):
        model = torch.nn.Sequential(torch.nn.Linear(3, 1, bias=False))
        data = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y[:, None]))
        approximation = laplace_torch.Laplace(model, likelihood, subset_of_weights="all",
                                              hessian_structure="full", **keys)
        approximation.fit(torch.utils.data.DataLoader(data, batch_size=N))
        cases.append(dict(
            setting=f"laplace.prior_precision prior_precision={keys['prior_precision']} "
                    f"noise_std={keys['sigma_noise']} data={N}",
            precision=approximation.posterior_precision.detach().numpy().tolist(),
        ))
    return cases


def main():
    warnings.filterwarnings("ignore")
    versions = {name: importlib.metadata.version(name) for name in check.DISTRIBUTIONS.values()}
    golden = dict(
        versions=versions,
        gradients=GRADIENTS.tolist(),
        trajectories=[trajectory(*case) for case in CASES],
        data=dict(x=X.tolist(), y=[Y.tolist()], y2=Y2.T.tolist(), labels=[LABELS.tolist()]),
        fits=[fitted(*case) for case in FITS],
        laplace=laplace(),
    )
    with open(HERE / "golden.json", "w") as file:
        json.dump(golden, file)
    print(f"{len(golden['trajectories'])} trajectories, {len(golden['fits'])} fits")


if __name__ == "__main__":
    main()
