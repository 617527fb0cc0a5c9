"""The ten parts of a key as node/native/src/keygen/layout.rs has them, the committees, tfhe's noise distribution."""

from collections import namedtuple
from fractions import Fraction

COMMITTEES = [(4, 1), (5, 1), (7, 2), (10, 3), (13, 4), (15, 4)]

# Dimension and log2 of the modulus of the samples under each secret that encrypts a part, and their TUniform bound.
SECRETS = {
    "lwe": (918, 64, 45),
    "glwe": (2048, 64, 17),
    "pke": (2048, 64, 17),
    "comp": (1024, 64, 43),
    "ns": (4096, 128, 30),
    "nsc": (6144, 128, 3),
}

# budget: whose noise together has the specified variance, "total" (all n) or "honest" (n - t).
Part = namedtuple("Part", "name under rows row_words tuniform base_log levels budget")

PARTS = [
    Part("compact-public-key", "pke", 1, 2048, 17, 0, 1, "total"),
    Part("compression-key", "comp", 6144, 256, 43, 4, 3, "total"),
    Part("decompression-key", "glwe", 2048, 2048, 17, 23, 1, "total"),
    Part("key-switching-key", "lwe", 8192, 1, 45, 4, 4, "total"),
    Part("bootstrapping-key", "glwe", 1836, 2048, 17, 23, 1, "total"),
    Part("squashing-key", "ns", 8262, 2048, 30, 24, 3, "honest"),
    Part("compact-key-switching-key", "lwe", 8192, 1, 45, 4, 4, "total"),
    Part("rerandomisation-key", "glwe", 1, 2048, 17, 0, 1, "total"),
    Part("squashed-compression-key", "nsc", 8192, 1024, 3, 41, 2, "honest"),
    Part("pseudo-random-function-key", "glwe", 1836, 2048, 17, 23, 1, "total"),
]

# The parts that the figures name.
BY_NAME = {part.name: part for part in PARTS}


def tuniform_variance(bound):
    """TUniform(b) is uniform on [-2^b, 2^b] with half weight at both ends: variance (2^(2b+1) + 1)/6."""
    return Fraction(2 ** (2 * bound + 1) + 1, 6)


def shares(part, n, t):
    """The number of parties that share the specified variance."""
    return n if part.budget == "total" else n - t


def bound(part, n, t):
    """B of one party's uniform noise on [-B, B], whose variance is B(B+1)/3: the integer nearest to the root of
    B(B+1)/3 = specified variance / shares; below 64 the next one with at least that variance. Exact."""
    wanted = 3 * tuniform_variance(part.tuniform) / shares(part, n, t)
    low, high = 0, 2**64
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle * (middle + 1) <= wanted else (low, middle - 1)
    b = low
    if (b + Fraction(1, 2)) * (b + Fraction(3, 2)) <= wanted:
        b += 1
    while b < 64 and b * (b + 1) < wanted:
        b += 1
    return b


def total_ratio(part, n, t, parties=None):
    """Variance of the noise of all n parties (or of `parties`) over the specified variance."""
    b = bound(part, n, t)
    return float((n if parties is None else parties) * Fraction(b * (b + 1), 3) / tuniform_variance(part.tuniform))
