"""Runs optimizers and estimators of the library table on small fixed problems.

`wd convert --check` sends a JSON object on standard input and reads one from standard output:

    {"steps": {"rates": [...], "weights": [...], "gradients": [[...], ...]} or null,
     "data": {"x": [[...], ...], "y": [...], "labels": [...]} or null,
     "sides": [{"entry": "torch.AdamW", "keys": {"lr": 1e-3, ...}, "loss": "nll", "reduction": "mean"}]}

Each side comes back as {"weights": [[...], ...], "version": "torch 2.15.0"}, or as {"missing": "optax"}
when its library is not installed, or as {"unsupported": why}. The golden trajectories of the crate
wd-decay are made with the same functions.

Weights are a 3 × 2 matrix, since Muon takes no other tensor, and everything is in double precision.
"""

import importlib.metadata
import json
import math
import os
import sys
import warnings

import numpy as np

SHAPE = (3, 2)
DISTRIBUTIONS = {
    "torch": "torch", "optax": "optax", "keras": "keras", "timm": "timm", "optimi": "torch-optimi",
    "pytorch_optimizer": "pytorch_optimizer", "sklearn": "scikit-learn", "statsmodels": "statsmodels",
    "laplace": "laplace-torch",
}


def betas(keys):
    return (keys["beta1"], keys["beta2"])


def only(keys, *names):
    return {name: keys[name] for name in names if name in keys}


def torch_optimizer(entry, parameters, keys):
    """The optimizer of a PyTorch-like entry."""
    library, _, name = entry.partition(".")
    options = only(keys, "lr", "eps", "weight_decay", "momentum", "dampening", "nesterov",
                   "decoupled_weight_decay", "corrected_weight_decay", "decouple_wd", "decouple_lr",
                   "weight_decouple", "fixed_decay")
    if "beta1" in keys:
        options["betas"] = betas(keys)
    if library == "torch":
        import torch
        return getattr(torch.optim, name)(parameters, **options)
    if library == "timm":
        import timm.optim
        return getattr(timm.optim, {"AdamW": "AdamWLegacy"}.get(name, name))(parameters, **options)
    if library == "optimi":
        import optimi
        # Its Triton kernels need a GPU.
        return getattr(optimi, name)(parameters, triton=False, **options)
    import pytorch_optimizer
    return getattr(pytorch_optimizer, name)(parameters, **options)


def torch_steps(entry, keys, problem, before=None):
    """Weights after 0, 1, … steps; `before` may change weights and gradient ahead of a step."""
    import torch
    start = np.array(problem["weights"], dtype=float).reshape(SHAPE)
    parameter = torch.nn.Parameter(torch.tensor(start, dtype=torch.float64))
    optimizer = torch_optimizer(entry, [parameter], keys)
    path = [parameter.detach().numpy().copy()]
    for step, (rate, gradient) in enumerate(zip(problem["rates"], problem["gradients"])):
        for group in optimizer.param_groups:
            group["lr"] = rate
        gradient = np.array(gradient, dtype=float).reshape(SHAPE)
        if before:
            weights, gradient = before(step, parameter.detach().numpy().copy(), gradient)
            with torch.no_grad():
                parameter.copy_(torch.tensor(weights))
        parameter.grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
        path.append(parameter.detach().numpy().copy())
    return path


def optax_steps(entry, keys, problem, before=None):
    import jax
    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp
    import optax
    table = jnp.array(problem["rates"])
    rate = lambda count: table[count]
    options = only(keys, "b1", "b2", "eps", "beta", "nesterov", "weight_decay")
    if entry == "optax.sgd":
        optimizer = optax.chain(
            optax.add_decayed_weights(keys["weight_decay"]),
            optax.sgd(rate, momentum=keys["momentum"], nesterov=keys["nesterov"]),
        )
    elif entry == "optax.muon":
        optimizer = optax.contrib.muon(rate, **options)
    else:
        optimizer = getattr(optax, entry.partition(".")[2])(rate, **options)
    weights = jnp.array(problem["weights"], dtype=jnp.float64).reshape(SHAPE)
    state = optimizer.init(weights)
    path = [np.array(weights)]
    for step, gradient in enumerate(problem["gradients"]):
        gradient = np.array(gradient, dtype=float).reshape(SHAPE)
        if before:
            weights, gradient = before(step, np.array(weights), gradient)
        update, state = optimizer.update(jnp.array(gradient), state, jnp.array(weights))
        weights = optax.apply_updates(jnp.array(weights), update)
        path.append(np.array(weights))
    return path


def keras_module():
    if "KERAS_BACKEND" not in os.environ:
        try:
            import jax
            os.environ["KERAS_BACKEND"] = "jax"
        except ImportError:
            os.environ["KERAS_BACKEND"] = "torch"
    if os.environ["KERAS_BACKEND"] == "jax":
        import jax
        jax.config.update("jax_enable_x64", True)
    import keras
    keras.config.set_floatx("float64")
    return keras


def keras_steps(entry, keys, problem):
    keras = keras_module()
    start = np.array(problem["weights"], dtype=float).reshape(SHAPE)
    variable = keras.Variable(start, dtype="float64")
    value = lambda: np.array(keras.ops.convert_to_numpy(variable.value)).copy()
    path = [value()]
    if entry == "keras.L2":
        regularizer = keras.regularizers.L2(keys["l2"])
        optimizer = keras.optimizers.SGD(learning_rate=problem["rates"][0])
        penalty_gradient = differentiate(keras, regularizer)
    else:
        optimizer = keras.optimizers.AdamW(
            learning_rate=keys["learning_rate"], beta_1=keys["beta_1"], beta_2=keys["beta_2"],
            epsilon=keys["epsilon"], weight_decay=keys["weight_decay"])
    optimizer.build([variable])
    for rate, gradient in zip(problem["rates"], problem["gradients"]):
        gradient = np.array(gradient, dtype=float).reshape(SHAPE)
        if entry == "keras.L2":
            gradient = gradient + penalty_gradient(value())
        optimizer.learning_rate.assign(rate)
        optimizer.apply([keras.ops.convert_to_tensor(gradient, dtype="float64")], [variable])
        path.append(value())
    return path


def differentiate(keras, regularizer):
    """The gradient of a regularizer, by the backend's own differentiation."""
    if keras.backend.backend() == "jax":
        import jax
        return lambda weights: np.array(jax.grad(regularizer)(jax.numpy.array(weights)))
    import torch

    def gradient(weights):
        tensor = torch.tensor(weights, requires_grad=True)
        regularizer(tensor).backward()
        return tensor.grad.numpy()

    return gradient


STEPS = {"torch": torch_steps, "timm": torch_steps, "optimi": torch_steps, "pytorch_optimizer": torch_steps,
         "optax": optax_steps, "keras": keras_steps}


def fit(entry, keys, data, loss="nll", reduction="mean"):
    """Coefficients without an intercept."""
    x = np.array(data["x"])
    y, labels = np.array(data["y"]), np.array(data["labels"])
    if entry == "sklearn.Ridge":
        from sklearn.linear_model import Ridge
        return Ridge(alpha=keys["alpha"], fit_intercept=False, solver="cholesky").fit(x, y).coef_
    if entry == "sklearn.RidgeCV":
        from sklearn.linear_model import RidgeCV
        return RidgeCV(alphas=[keys["alphas"]], fit_intercept=False).fit(x, y).coef_
    if entry == "sklearn.ElasticNet":
        from sklearn.linear_model import ElasticNet
        model = ElasticNet(alpha=keys["alpha"], l1_ratio=keys["l1_ratio"], fit_intercept=False,
                           tol=1e-15, max_iter=10**6)
        return model.fit(x, y).coef_
    if entry == "sklearn.LogisticRegression":
        from sklearn.linear_model import LogisticRegression
        solver = "newton-cholesky" if keys["l1_ratio"] == 0 else "saga"
        model = LogisticRegression(C=keys["C"], l1_ratio=keys["l1_ratio"], fit_intercept=False,
                                   solver=solver, tol=1e-14, max_iter=10**5)
        return model.fit(x, labels).coef_[0]
    if entry.startswith("statsmodels."):
        import statsmodels.api as sm
        if entry.startswith("statsmodels.OLS"):
            return np.array(sm.OLS(y, x).fit_regularized(
                alpha=keys["alpha"], L1_wt=keys["L1_wt"], cnvrg_tol=1e-15, maxiter=10**4).params)
        if entry.startswith("statsmodels.Logit"):
            return np.array(sm.Logit(labels, x).fit_regularized(
                alpha=keys["alpha"], disp=False, acc=1e-15, maxiter=10**4).params)
        # Without L1 it calls scipy's minimizers with their own tolerances: this one has the smallest.
        options = dict(cnvrg_tol=1e-15, maxiter=10**4) if keys["L1_wt"] else dict(opt_method="trust-constr")
        return np.array(sm.GLM(labels, x, family=sm.families.Binomial()).fit_regularized(
            alpha=keys["alpha"], L1_wt=keys["L1_wt"], **options).params)
    if entry == "torch.SGD":
        return torch_minimum(keys["weight_decay"], x, y, labels, loss, reduction)
    raise KeyError(entry)


def torch_minimum(weight_decay, x, y, labels, loss, reduction):
    """Where torch.optim.SGD with this weight_decay comes to rest on the whole data."""
    import torch
    inputs = torch.tensor(x)
    targets = torch.tensor(labels if loss == "nll" else y, dtype=torch.float64)
    outputs = 1 if targets.ndim == 1 else targets.shape[1]
    weights = torch.nn.Parameter(torch.zeros(x.shape[1], outputs, dtype=torch.float64))
    # Half of the largest stable rate of the loss, with a little room for the penalty.
    curvature = np.linalg.eigvalsh(x.T @ x)[-1] * (1 if reduction == "sum" else 1 / len(x)) * 2
    optimizer = torch.optim.SGD([weights], lr=1 / (curvature + weight_decay), momentum=0.5,
                                weight_decay=weight_decay)
    measure = {
        "nll": torch.nn.BCEWithLogitsLoss(reduction=reduction),
        "mse": torch.nn.MSELoss(reduction=reduction),
        "half-mse": lambda prediction, target: 0.5 * torch.nn.MSELoss(reduction=reduction)(prediction, target),
    }[loss]
    for _ in range(20_000):
        optimizer.zero_grad()
        prediction = inputs @ weights
        measure(prediction if targets.ndim == 2 else prediction[:, 0], targets).backward()
        before = weights.detach().clone()
        optimizer.step()
        if torch.equal(before, weights.detach()):
            break
    return weights.detach().numpy().T.squeeze()


def side(request, problem, data):
    entry = request["entry"]
    library = entry.partition(".")[0]
    if library not in DISTRIBUTIONS:
        return {"unsupported": f"{entry} is no Python library"}
    # JSON has no infinity.
    keys = {key: float(value) if isinstance(value, str) else value for key, value in request["keys"].items()}
    try:
        version = f"{library} {importlib.metadata.version(DISTRIBUTIONS[library])}"
        if problem:
            weights = [step.ravel().tolist() for step in STEPS[library](entry, keys, problem)]
        else:
            weights = [np.ravel(fit(entry, keys, data, request["loss"], request["reduction"])).tolist()]
    except ImportError as error:
        return {"missing": getattr(error, "name", None) or library}
    except KeyError:
        return {"unsupported": f"there is no run of {entry} on this problem"}
    if not all(math.isfinite(value) for step in weights for value in step):
        return {"unsupported": "its weights are not finite"}
    return {"weights": weights, "version": version}


def main():
    warnings.filterwarnings("ignore")
    request = json.load(sys.stdin)
    # Libraries print what they like; only the answer may reach standard output.
    answer, sys.stdout = sys.stdout, sys.stderr
    json.dump({"sides": [side(one, request["steps"], request["data"]) for one in request["sides"]]}, answer)


if __name__ == "__main__":
    main()
