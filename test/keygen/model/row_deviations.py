"""Prints test/keygen/row_deviations.txt: coefficients opened and log2 of the standard deviation of an honest V, per part."""

from parts import COMMITTEES
from row_check import CHECKS, log2_std, opened

if __name__ == "__main__":
    print("part coefficients", *(f"{n}/{t}" for n, t in COMMITTEES))
    for check in CHECKS:
        print(check.part, opened(check), *(f"{log2_std(check, n, t):.3f}" for n, t in COMMITTEES))
