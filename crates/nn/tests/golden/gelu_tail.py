"""Prints the polynomials of `src/kernels/activation.rs` for the tail of the normal distribution.

    pip install mpmath && python crates/nn/tests/golden/gelu_tail.py

Q(y) = e^(-y²/2)·t·P(t) for y ≥ 0, t = 1/(1 + c·y). P interpolates R(t) = erfc(y/√2)·e^(y²/2)/(2t) at the Chebyshev
nodes of 0 ≤ t ≤ 1, with the lowest degree whose error in t·P (that is, relative to e^(-y²/2)) is below a bound.
"""

from mpmath import cos, erfc, exp, lu_solve, matrix, mp, mpf, nstr, pi, polyval, sqrt

mp.dps = 40


def ratio(t, scale):
    """R(t)."""
    y = (1 / t - 1) / scale
    if y > 200:  # the asymptotic series of erfc, whose next term is below 1e-16
        return scale / sqrt(2 * pi) / (1 - t) * (1 - 1 / y**2 + 3 / y**4 - 15 / y**6)
    return erfc(y / sqrt(2)) / 2 * exp(y * y / 2) / t


def interpolate(degree, scale):
    nodes = [(1 + cos(pi * (2 * k + 1) / (2 * degree + 2))) / 2 for k in range(degree + 1)]
    powers = matrix([[node**power for power in range(degree + 1)] for node in nodes])
    return list(lu_solve(powers, matrix([ratio(node, scale) for node in nodes])))


def error(coefficients, scale):
    points = [mpf(index) / 400 for index in range(1, 401)]
    return max(abs(polyval(coefficients[::-1], t) - ratio(t, scale)) * t for t in points)


def main():
    for name, bound, degrees in [("TAIL_F32", 2e-8, range(6, 12)), ("TAIL_F64", 2e-17, range(16, 30))]:
        best = None
        for scale in [mpf(index) / 20 for index in range(4, 21)]:
            for degree in degrees:
                coefficients = interpolate(degree, scale)
                largest = error(coefficients, scale)
                if largest < bound:
                    if best is None or (degree, largest) < best[:2]:
                        best = (degree, largest, scale, coefficients)
                    break
        degree, largest, scale, coefficients = best
        print(f"{name}: scale {nstr(scale, 3)}, degree {degree}, error {nstr(largest, 2)}")
        for coefficient in coefficients:
            print(f"    {nstr(coefficient, 17)},")


if __name__ == "__main__":
    main()
