"""Failure probability of a bootstrapping and noise after squashing, for each committee.

Variances are in units of (q/2N)^2, the step of the modulus switch, where half a box of message and carry is 64.
Standard formulas: a decomposed digit is uniform (variance (B^2+2)/12), what decomposition drops is uniform, secrets are
uniform bits (mean square 1/2); the modulus switch is centred (CenteredMeanNoiseReduction, variance 1/4 of a bit);
squared norm 25.
"""

import math

from parts import BY_NAME, COMMITTEES, total_ratio, tuniform_variance

N, LWE, GLWE = 2048, 918, 2048
UNIT = 2.0 ** (64 - 12)
HALF_BOX = 2.0 ** (64 - 5 - 1) / UNIT
NORM2 = 25
# tfhe 1.7.1, V1_7_PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128: log2_p_fail.
SPECIFIED = -129.581
SQUASH_BOUND = 70


def digit_variance(base_log):
    return (4.0**base_log + 2) / 12


def variances(lwe_ratio=1.0, glwe_ratio=1.0):
    """By cause; the ratios scale the noise of the key switching key and of the bootstrapping key."""
    ksk, bsk = BY_NAME["key-switching-key"], BY_NAME["bootstrapping-key"]
    square = lambda value: value / UNIT**2
    ks_key = GLWE * ksk.levels * digit_variance(ksk.base_log) * float(tuniform_variance(ksk.tuniform)) * lwe_ratio
    ks_rounding = GLWE / 2 * (2.0 ** (64 - ksk.base_log * ksk.levels)) ** 2 / 12
    pbs_key = LWE * 2 * N * digit_variance(bsk.base_log) * float(tuniform_variance(bsk.tuniform)) * glwe_ratio
    pbs_rounding = LWE * (2.0 ** (64 - bsk.base_log)) ** 2 * (1 + N / 2) / 24
    return {
        "modulus switch": (1 + LWE / 4) / 12,
        "key switching key": square(ks_key),
        "rounding of the key switch": square(ks_rounding),
        "bootstrapping key, 25 times": NORM2 * square(pbs_key),
        "rounding of the bootstrapping, 25 times": NORM2 * square(pbs_rounding),
    }


def log2_p_fail(variance, half=HALF_BOX):
    return math.log2(math.erfc(half / math.sqrt(2 * variance)))


def model_variance():
    return sum(variances().values())


def specified_variance():
    """The variance at which the formula gives tfhe's own figure."""
    low, high = 1.0, 100.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (low, middle) if log2_p_fail(middle) > SPECIFIED else (middle, high)
    return low


def key_variance():
    parts = variances()
    return parts["key switching key"] + parts["bootstrapping key, 25 times"]


def scaled_p_fail(ratio):
    """All key noise times `ratio`; the gap between the model and tfhe's figure counts as key noise, the worse choice."""
    specified = specified_variance()
    gap = max(0.0, specified - model_variance())
    return log2_p_fail(specified + (key_variance() + gap) * (ratio - 1))


def squash_sigma(ratio):
    """log2 of the standard deviation after noise squashing, key noise times `ratio`."""
    part = BY_NAME["squashing-key"]
    key = LWE * part.levels * 3 * N * digit_variance(part.base_log) * float(tuniform_variance(part.tuniform)) * ratio
    rounding = LWE * (1 + 2 * N / 2) * (2.0 ** (128 - part.base_log * part.levels)) ** 2 / 24
    return math.log2(key + rounding) / 2


def packed_sigma(ratio):
    """log2 of the standard deviation that packing a squashed ciphertext adds."""
    part = BY_NAME["squashed-compression-key"]
    key = 2 * N * part.levels * digit_variance(part.base_log) * float(tuniform_variance(part.tuniform)) * ratio
    rounding = 2 * N / 2 * (2.0 ** (128 - part.base_log * part.levels)) ** 2 / 12
    return math.log2(key + rounding) / 2


def causes():
    yield ["cause", "variance"]
    for cause, variance in variances().items():
        yield [cause, f"{variance:.2f}"]
    yield ["sum", f"{model_variance():.2f}"]
    yield ["of tfhe's own figure", f"{specified_variance():.2f}"]


def committees():
    squashing, packing = BY_NAME["squashing-key"], BY_NAME["squashed-compression-key"]
    small = [part for part in BY_NAME.values() if part.budget == "total"]
    worst = lambda n, t: max((total_ratio(part, n, t) for part in small), key=lambda ratio: abs(ratio - 1))
    rows = [
        ["keys modulo 2^64: variance of all n parties / specified", lambda n, t: f"{worst(n, t):.4f}"],
        ["**failure of a bootstrapping**", lambda n, t: f"**2^{scaled_p_fail(worst(n, t)):.1f}**"],
        ["variance of the n − t honest parties / specified", lambda n, t: f"{(n - t) / n:.3f}"],
        ["the same as a loss of σ, bits", lambda n, t: f"{math.log2(n / (n - t)) / 2:.3f}"],
        ["failure if the honest parties had the whole variance", lambda n, t: f"2^{scaled_p_fail(n / (n - t)):.1f}"],
        ["failure if every party had it", lambda n, t: f"2^{scaled_p_fail(n):.1f}"],
        ["squashing key: variance of all / specified", lambda n, t: f"{total_ratio(squashing, n, t):.3f}"],
        ["squashing key: variance of the honest / specified", lambda n, t: f"{total_ratio(squashing, n, t, n - t):.3f}"],
        ["σ after squashing", lambda n, t: f"2^{squash_sigma(total_ratio(squashing, n, t)):.2f}"],
        [
            f"bound 2^{SQUASH_BOUND} in σ",
            lambda n, t: f"{2 ** (SQUASH_BOUND - squash_sigma(total_ratio(squashing, n, t))):.0f}",
        ],
        ["key that packs squashed values: variance of all / specified", lambda n, t: f"{total_ratio(packing, n, t):.3f}"],
        ["the same, of the honest", lambda n, t: f"{total_ratio(packing, n, t, n - t):.3f}"],
        ["σ that packing adds", lambda n, t: f"2^{packed_sigma(total_ratio(packing, n, t)):.2f}"],
    ]
    yield ["n/t"] + [f"{n}/{t}" for n, t in COMMITTEES]
    for title, cell in rows:
        yield [title] + [cell(n, t) for n, t in COMMITTEES]
