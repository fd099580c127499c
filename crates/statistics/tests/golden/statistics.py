"""Golden values of the statistics, from scipy. Writes statistics.json beside this file.

    python -m venv venv && venv/bin/pip install scipy==1.17.1 && venv/bin/python statistics.py
"""

import json
import pathlib

import numpy as np
from scipy import optimize, stats

quantiles = [
    {"p": p, "degrees": df, "value": float(stats.t.ppf(p, df))}
    for p in (0.001, 0.025, 0.2, 0.5, 0.8, 0.9, 0.95, 0.975, 0.995, 0.9995)
    for df in (1, 2, 3, 4, 7, 19, 99, 5000)
]
tails = [
    {"t": t, "degrees": df, "value": float(2 * stats.t.sf(abs(t), df))}
    for t in (0.0, 0.3, -1.0, 2.0, -4.5, 12.0, 60.0)
    for df in (1, 2, 4, 19, 200)
]

rng = np.random.default_rng(0)
samples = []
for n in (2, 3, 5, 12):
    a = rng.normal(0.1, 0.3, n)
    b = rng.normal(0.0, 0.3, n)
    d = a - b
    test = stats.ttest_rel(a, b)
    low, high = stats.t.interval(0.95, n - 1, d.mean(), stats.sem(d))
    margin = 0.3
    # Two one-sided tests: both p below 5 %.
    lower = stats.ttest_1samp(d, -margin, alternative="greater").pvalue
    upper = stats.ttest_1samp(d, margin, alternative="less").pvalue
    samples.append(
        {
            "differences": d.tolist(),
            "mean": float(d.mean()),
            "standard_error": float(stats.sem(d)),
            "low": float(low),
            "high": float(high),
            "p": float(test.pvalue),
            "margin": margin,
            "equivalent": bool(max(lower, upper) < 0.05),
        }
    )


def holm(p):
    """Holm (1979), written from its definition: p~_(i) = max_{j<=i} min(1, (m-j+1) p_(j))."""
    p = np.asarray(p)
    order = np.argsort(p)
    out = np.empty_like(p)
    running = 0.0
    for j, i in enumerate(order):
        running = max(running, min(1.0, (len(p) - j) * p[i]))
        out[i] = running
    return out.tolist()


families = [{"raw": f, "adjusted": holm(f)} for f in ([0.01, 0.04, 0.03], [0.2, 0.001, 0.001, 0.9], [0.5])]


def power(n, d):
    """Exact power of the two-sided paired t-test at 5 %, from the non-central t."""
    df, nc = n - 1, d * np.sqrt(n)
    t = stats.t.ppf(0.975, df)
    return stats.nct.sf(t, df, nc) + stats.nct.cdf(-t, df, nc)


seeds = []
for d in (0.1, 0.2, 0.35, 0.5, 0.8, 1.0, 1.3, 2.0, 3.0, 5.0):
    exact = next(n for n in range(2, 5000) if power(n, d) >= 0.8)
    iterated = next(
        n for n in range(2, 5000) if n >= ((stats.t.ppf(0.975, n - 1) + stats.t.ppf(0.8, n - 1)) / d) ** 2
    )
    seeds.append({"ratio": d, "iterated": iterated, "exact": exact})

welch = []
for with_, without in (
    ([3.01, 3.05, 2.99, 3.02], [3.10, 3.12, 3.08, 3.11]),
    ([1.0, 1.1], [1.4, 2.9, 0.3, 1.9, 2.2]),
    ([0.52, 0.55, 0.51], [0.5, 0.9, 0.7, 0.2, 0.6, 0.4, 0.55]),
):
    test = stats.ttest_ind(with_, without, equal_var=False)
    low, high = test.confidence_interval()
    welch.append({"with": with_, "without": without, "p": test.pvalue, "degrees": test.df, "low": low, "high": high})

out = pathlib.Path(__file__).with_name("statistics.json")
out.write_text(
    json.dumps(
        {"quantiles": quantiles, "tails": tails, "samples": samples, "families": families, "seeds": seeds,
         "welch": welch}, indent=1
    )
    + "\n"
)
for row in seeds:
    print(row)
