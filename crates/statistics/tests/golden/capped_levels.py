"""The table of `sequential::capped_level`: python capped_levels.py (numpy, scipy; two minutes).

Paired t-tests after every seed from the third on, of a million sequences without any difference:
the level at which all looks up to a maximum together err with probability α is the α-quantile of
the smallest p. Printed as a share of α.
"""

import numpy as np
import scipy.stats

MAXIMUM, SEQUENCES, PARTS, FIRST = 40, 250_000, 4, 3
ALPHAS = [0.05, 0.025, 0.0125, 0.005]

random = np.random.default_rng(1)
found = {alpha: [] for alpha in ALPHAS}
for _ in range(PARTS):
    values = random.standard_normal((SEQUENCES, MAXIMUM))
    sums, squares = np.cumsum(values, 1), np.cumsum(values * values, 1)
    smallest = np.ones(SEQUENCES)
    rows = []
    for n in range(FIRST, MAXIMUM + 1):
        mean = sums[:, n - 1] / n
        variance = (squares[:, n - 1] - n * mean * mean) / (n - 1)
        t = np.abs(mean) / np.sqrt(variance / n)
        smallest = np.minimum(smallest, 2 * scipy.stats.t.sf(t, n - 1))
        rows.append([np.quantile(smallest, alpha) / alpha for alpha in ALPHAS])
    for index, alpha in enumerate(ALPHAS):
        found[alpha].append([row[index] for row in rows])
for alpha in ALPHAS:
    print(alpha, [round(float(share), 4) for share in np.mean(found[alpha], 0)])
