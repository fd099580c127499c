"""Makes norms.json: 100 steps of norm control in numpy's f64, without any optimizer of a library.

    python crates/optim/tests/golden/norms.py

Needs numpy alone. The start and the gradients are those of golden.py: both have a formula that the Rust test evaluates as well.

- hyperball: w <- R Norm(w - lr R Norm(u)), R = ratio ||w_0||, for the matrix; the vector takes the plain step. The equation is
  that of Wen, Dang, Lyu, Ma & Liang 2026 (arXiv 2606.16899), as in Levanter's `adamh.py`.
- norm: w <- w - s (1 - R / ||w||) w - lr u for both, ||w|| taken before the step (weight norm control, arXiv 2311.11446).
"""

import json
import pathlib

import numpy as np

STEPS = 100
CHECKPOINTS = (1, 10, 100)
PEAK = 0.02
DECAY = 0.4


def start(length, seed):
    index = np.arange(length, dtype=np.float64)
    return (0.5 * np.sin(1.3 * index + seed)).astype(np.float32).astype(np.float64)


def gradient(weights, step, seed):
    index = np.arange(weights.size, dtype=np.float64)
    pull = 0.5 + 0.1 * (index % 7)
    noise = 0.5 * np.sin(0.37 * (step + 1) + 1.7 * index + seed)
    return pull * weights.reshape(-1) + noise


def learning_rate(step):
    return PEAK * (1.0 - step / (2.0 * STEPS))


class Adam:
    def __init__(self):
        self.m = self.v = 0.0

    def direction(self, g, time):
        self.m = 0.9 * self.m + 0.1 * g
        self.v = 0.95 * self.v + 0.05 * g * g
        return self.m / (1 - 0.9**time) / (np.sqrt(self.v / (1 - 0.95**time)) + 1e-8)


class Momentum:
    def __init__(self, nesterov=False):
        self.nesterov, self.b = nesterov, 0.0

    def direction(self, g, time):
        self.b = 0.9 * self.b + g
        return g + 0.9 * self.b if self.nesterov else self.b


class Lion:
    def __init__(self):
        self.m = 0.0

    def direction(self, g, time):
        u = np.sign(0.9 * self.m + 0.1 * g)
        self.m = 0.99 * self.m + 0.01 * g
        return u


class Muon:
    """Nesterov's momentum, five Newton-Schulz steps, and the factor sqrt(max(1, rows / columns))."""

    def __init__(self, shape=(7, 5)):
        self.shape, self.m = shape, 0.0

    def direction(self, g, time):
        self.m = 0.95 * self.m + 0.05 * g
        x = (0.05 * g + 0.95 * self.m).reshape(self.shape).T
        x = x / np.linalg.norm(x)
        for _ in range(5):
            gram = x @ x.T
            x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
        return (x.T * np.sqrt(max(1.0, self.shape[0] / self.shape[1]))).reshape(-1)


def run(make, rule, ratio, clip=None, cautious=False):
    weights = [start(35, 0), start(33, 1)]
    targets = [ratio * np.linalg.norm(w) for w in weights]
    optimizers = make()
    kept = {}
    for step in range(STEPS):
        gradients = [gradient(w, step, seed) for seed, w in enumerate(weights)]
        if clip is not None:
            norm = np.sqrt(sum((g * g).sum() for g in gradients))
            gradients = [g * min(1.0, clip / (norm + 1e-6)) for g in gradients]
        for index, (optimizer, share) in enumerate(optimizers):
            w, g, rate = weights[index], gradients[index], learning_rate(step) * share
            away = (1 - targets[index] / np.linalg.norm(w)) * w
            if rule == "coupled":
                g = g + DECAY * away
            u = optimizer.direction(g, step + 1)
            if rule == "hyperball" and index == 0:
                moved = w - rate * targets[0] * u / np.linalg.norm(u)
                weights[0] = targets[0] * moved / np.linalg.norm(moved)
            elif rule == "decoupled":
                keep = (u * away >= 0) if cautious else 1.0
                weights[index] = w - rate * DECAY * keep * away - rate * u
            else:
                weights[index] = w - rate * u
        if step + 1 in CHECKPOINTS:
            kept[str(step + 1)] = [float(f"{value:.10g}") for value in np.concatenate(weights)]
    return kept


def main():
    def both(kind, *options):
        return lambda: [(kind(*options), 1.0), (kind(*options), 1.0)]

    def muon():
        return [(Muon(), 1.0), (Adam(), 0.25)]

    cases = {
        "hyperball_adam": run(both(Adam), "hyperball", 1.0),
        "hyperball_adam_clipped": run(both(Adam), "hyperball", 1.0, clip=1.0),
        "hyperball_adam_radius": run(both(Adam), "hyperball", 1.5),
        "hyperball_sgd": run(both(Momentum), "hyperball", 1.0),
        "hyperball_nesterov": run(both(Momentum, True), "hyperball", 1.0),
        "hyperball_lion": run(both(Lion), "hyperball", 1.0),
        "hyperball_muon": run(muon, "hyperball", 1.0),
        "norm_adamw": run(both(Adam), "decoupled", 1.5),
        "norm_adamw_cautious": run(both(Adam), "decoupled", 1.5, cautious=True),
        "norm_adam_coupled": run(both(Adam), "coupled", 0.5),
        "norm_muon": run(muon, "decoupled", 1.5),
    }
    text = json.dumps({"steps": STEPS, "peak": PEAK, "cases": cases}, separators=(",", ":"))
    text = text.replace('"hyperball', '\n"hyperball').replace('"norm_', '\n"norm_')
    pathlib.Path(__file__).with_name("norms.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
