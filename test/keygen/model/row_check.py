"""The row check of a finished key: what it lets through, and what its openings cost.

Opened are V = sum c_i e_i + g for random public c and fresh shared noise g. f = (std of g)/(std of sum c_i e_i), for each
party alike. An error above 16 std (8 allowed, 8 of honest noise) stays unseen by luck only: see escape().
"""

import hashlib
import math
from collections import namedtuple
from fractions import Fraction
from statistics import NormalDist

import noise
from lwe import honest_loss, secret_bits
from parts import BY_NAME, COMMITTEES, bound

MAX_STD = 8
ENERGY_STD = 6.5
SEARCH = 40  # log2 of the ciphertexts among which an attacker looks for the worst

# mode: "sums" (rounds of random coefficients -1, 0, 0, 1), "buckets" (buckets, repetitions), "places" (repetitions: every row
# by itself, with a random sign, in one of five random sums for two rows).
Check = namedtuple("Check", "part mode size f")
CHECKS = [
    Check("bootstrapping-key", "sums", (41,), 4),
    Check("pseudo-random-function-key", "sums", (41,), 4),
    Check("decompression-key", "sums", (41,), 4),
    Check("squashing-key", "sums", (41,), 4),
    Check("squashed-compression-key", "sums", (41,), 4),
    Check("compression-key", "buckets", (256, 5), 4),
    Check("key-switching-key", "places", (3,), 5),
    Check("compact-key-switching-key", "places", (3,), 5),
    Check("compact-public-key", "sums", (41,), 64),
    Check("rerandomisation-key", "sums", (41,), 64),
]


def randomness(label, count):
    return hashlib.shake_128(label.encode()).digest(count)


def largest(multiply, size, rounds):
    """Largest eigenvalue of a symmetric matrix by power iteration from a fixed start."""
    vector = [1 + byte for byte in randomness("start", size)]
    value = 0.0
    for _ in range(rounds):
        image = multiply(vector)
        value = math.sqrt(sum(x * x for x in image))
        vector = [x / value for x in image]
    return value


def sums_eigenvalue(rows, rounds):
    """Of C·Cᵀ over rows/2, for one draw of C with entries -1, 0, 0, 1: bit minus bit."""
    draws = []
    for k in range(rounds):
        plus, minus = (
            int.from_bytes(randomness(f"sums/{rows}/{k}/{side}", (rows + 7) // 8), "big") >> -rows % 8 for side in "+-"
        )
        draws.append((plus & ~minus, minus & ~plus))
    dot = lambda a, b: (
        (a[0] & b[0]).bit_count() + (a[1] & b[1]).bit_count() - (a[0] & b[1]).bit_count() - (a[1] & b[0]).bit_count()
    )
    gram = [[dot(a, b) for b in draws] for a in draws]
    multiply = lambda v: [sum(g * x for g, x in zip(row, v)) for row in gram]
    return largest(multiply, rounds, 100) / (rows / 2)


def buckets_eigenvalue(rows, buckets, repetitions):
    """The same for signed random buckets; the share of a row in a bucket is rows/buckets on average."""
    draws = []
    for h in range(repetitions):
        data = randomness(f"buckets/{rows}/{h}", 3 * rows)
        words = [int.from_bytes(data[3 * i : 3 * i + 3], "big") for i in range(rows)]
        draws.append([((word >> 1) % buckets, 1 - 2 * (word & 1)) for word in words])

    def multiply(v):
        image = [0.0] * rows
        for draw in draws:
            sums = [0.0] * buckets
            for (bucket, sign), x in zip(draw, v):
                sums[bucket] += sign * x
            for i, (bucket, sign) in enumerate(draw):
                image[i] += sign * sums[bucket]
        return image

    return largest(multiply, rows, 40) / (rows / buckets)


def eigenvalue(check):
    """λ: the largest eigenvalue of CᵀC over the mean squared norm of a row of C."""
    rows = BY_NAME[check.part].rows
    if check.mode == "sums":
        return sums_eigenvalue(rows, *check.size)
    # In places no two rows meet: CᵀC is the number of repetitions.
    return buckets_eigenvalue(rows, *check.size) if check.mode == "buckets" else float(*check.size)


def weight(check):
    """Mean squared norm of a row of C that is not zero."""
    rows = BY_NAME[check.part].rows
    if check.mode == "sums":
        return Fraction(rows, 2)
    return Fraction(rows, check.size[0]) if check.mode == "buckets" else Fraction(1)


def places(rows):
    return 5 * rows // 2


def opened(check):
    """The number of coefficients opened."""
    part = BY_NAME[check.part]
    return (places(part.rows) if check.mode == "places" else 1) * math.prod(check.size) * part.row_words


def filled(check):
    """Those of sums that hold rows, as far as it is not left to chance: the energy test counts no others."""
    return BY_NAME[check.part].rows * check.size[0] if check.mode == "places" else opened(check)


def log2_std(check, n, t):
    """Of V in an honest ceremony. One party's part of g is uniform on [-g, g] with g = f·sqrt(3·weight·variance), rounded."""
    b = bound(BY_NAME[check.part], n, t)
    hidden = weight(check) * b * (b + 1)
    g = round(math.sqrt(check.f**2 * hidden))
    return math.log2(n * (hidden + g * (g + 1)) / 3) / 2


def sigma_loss(check, eigen):
    """Bits of σ that the openings cost, in the worst direction: σ²/(1 + λ/f²) remains."""
    return math.log2(1 + eigen / check.f**2) / 2


def escape(check):
    """log2 of the probability that a larger error in one row stays unseen, whatever else is planted and dealt: all choices
    that the coin has for this row but one are seen, or half of them in a sum."""
    rows = BY_NAME[check.part].rows
    if check.mode == "sums":
        return -check.size[0]
    choices, times = check.size if check.mode == "buckets" else (places(rows) - rows + 1, *check.size)
    return -times * math.log2(choices)


def energy_slack(check, share):
    """Planted energy per coefficient of the part, in σ², that passes the energy test if corrupt parties, `share` of all, make
    no noise and deal none: what is missing then leaves room."""
    return (ENERGY_STD * math.sqrt(2 / filled(check)) + share) * (1 + check.f**2)


def likeness_slack(check, share):
    """The same for the likeness test: Σ overlap · V · V' over all pairs of sums, whose mean knows no shared noise. Not where
    rows are in many sums: there corrupt parties can deal noise that is alike itself, of either sign by luck."""
    if check.mode == "sums":
        return math.inf
    part = BY_NAME[check.part]
    deviation = float(weight(check)) * (1 + check.f**2)
    squares = math.comb(check.size[-1], 2) * part.rows  # of the overlaps: a row is once in each repetition
    return ENERGY_STD * deviation / math.sqrt(squares * part.row_words) + share


def planted_energy(check):
    """What both tests pass, in the committee where it is most."""
    shares = (t / n for n, t in COMMITTEES)
    return max(min(energy_slack(check, share), likeness_slack(check, share)) for share in shares)


def largest_unseen(check):
    """log2 of what one coefficient may be off by, in the committee where it is most."""
    return max(log2_std(check, *committee) for committee in COMMITTEES) + math.log2(2 * MAX_STD)


# The cause of noise that a part is, and by how much its errors grow on the way to the next bootstrapping.
MODELLED = {
    "key-switching-key": ("key switching key", 1),
    "bootstrapping-key": ("bootstrapping key, 25 times", math.sqrt(noise.NORM2)),
}


def harm(check):
    """Bootstrapping failure with one coefficient off as far as unseen, under the largest digit; with the largest planted
    energy, of a typical ciphertext and of the worst of 2^40."""
    if check.part not in MODELLED:
        return ["–", "–", "–"]
    cause, growth = MODELLED[check.part]
    base = noise.specified_variance()
    lone = growth * 2.0 ** (largest_unseen(check) + BY_NAME[check.part].base_log - 1) / noise.UNIT
    planted = noise.variances()[cause] * planted_energy(check)
    searched = NormalDist().inv_cdf(1 - 2.0**-SEARCH) * math.sqrt(planted)
    failures = (
        noise.log2_p_fail(base, noise.HALF_BOX - lone),
        noise.log2_p_fail(base + planted),
        noise.log2_p_fail(base, noise.HALF_BOX - searched),
    )
    return [f"2^{failure:.0f}" for failure in failures]


def bounds():
    head = ["part", "opened", "f", "std of V, 4/1 and 15/4", "lone error below", "but for", "energy below, σ²"]
    yield head + ["failure with the lone error", "with the energy", "worst of 2^40"]
    for check in CHECKS:
        part = BY_NAME[check.part]
        named = {"sums": "{} sums", "buckets": "{} buckets, {} times", "places": "each row, {} times"}
        how = named[check.mode].format(*check.size)
        first, last = (log2_std(check, *committee) for committee in (COMMITTEES[0], COMMITTEES[-1]))
        yield [
            f"`{part.name}`",
            how,
            str(check.f),
            f"2^{first:.2f}, 2^{last:.2f}",
            f"2^{largest_unseen(check):.1f}",
            f"2^{escape(check):.0f}",
            f"{planted_energy(check):.1f}" if part.rows > 1 else "–",
            *harm(check),
        ]


def hints():
    yield ["part", "λ", "loss of σ, bits", "secret", "bits of security", "with that of broken enclaves at 13/4"]
    for check in CHECKS:
        secret = BY_NAME[check.part].under
        eigen = eigenvalue(check)
        loss, base, share = sigma_loss(check, eigen), secret_bits(secret), honest_loss(secret, 13, 4)
        yield [
            f"`{check.part}`",
            f"{eigen:.2f}",
            f"{loss:.4f}",
            f"`{secret}`",
            f"−{base - secret_bits(secret, loss):.2f}",
            f"−{base - secret_bits(secret, share + loss):.2f}",
        ]


def false_aborts():
    coefficients = sum(opened(check) for check in CHECKS)
    energy = 2 * len(CHECKS) * math.erfc(ENERGY_STD / math.sqrt(2)) / 2
    yield ["test", "honest ceremonies that abort"]
    largest_at = math.log2(2 * coefficients) - MAX_STD**2 / 2 / math.log(2)
    yield [f"largest of {coefficients:,} coefficients below {MAX_STD} std", f"at most 2^{largest_at:.1f}"]
    yield [f"energy and likeness of {len(CHECKS)} parts within {ENERGY_STD} standard errors", f"about 2^{math.log2(energy):.0f}"]
