"""Prints test/keygen/noise_bounds.txt: the bound B of one party's noise, per part and committee, exactly."""

from parts import COMMITTEES, PARTS, bound

if __name__ == "__main__":
    print("part rows words TUniform", *(f"{n}/{t}" for n, t in COMMITTEES))
    for part in PARTS:
        print(part.name, part.rows, part.row_words, part.tuniform, *(bound(part, n, t) for n, t in COMMITTEES))
