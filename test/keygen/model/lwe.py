"""Bits of LWE security by our own primal uSVP model. For differences only: it is not the lattice estimator.

One short vector in a lattice of dimension d = n + m + 1 with Bai and Galbraith's scaling of the uniform binary secret,
found by BKZ with block size β when σ·sqrt(β) <= δ(β)^(2β-d-1)·volume^(1/d); δ by the usual formula, cost
2^(0.292β + 16.4)·8d, m free, no hybrid attack, no use of the ring.
"""

import math

from parts import COMMITTEES, SECRETS, tuniform_variance


def log2_delta(beta):
    return math.log2(beta / (2 * math.pi * math.e) * (math.pi * beta) ** (1 / beta)) / (2 * (beta - 1))


def block_size(n, log_q, log_sigma, m):
    """The least β (as a real number) that finds the secret with m samples."""
    d = n + m + 1
    log_volume = m * log_q + n * (log_sigma + 1)  # a centred bit has standard deviation 1/2
    low, high = 40.0, 4000.0
    for _ in range(40):
        beta = (low + high) / 2
        found = log_sigma + math.log2(beta) / 2 <= (2 * beta - d - 1) * log2_delta(beta) + log_volume / d
        low, high = (low, beta) if found else (beta, high)
    return high


def bits(n, log_q, log_sigma):
    costs = (
        0.292 * block_size(n, log_q, log_sigma, m) + 16.4 + math.log2(8 * (n + m + 1))
        for m in range(n // 4, 4 * n, n // 40)
    )
    return min(costs)


def secret_bits(secret, sigma_loss=0.0):
    """Bits of one secret at the specified noise, its σ reduced by `sigma_loss` bits."""
    n, log_q, tuniform = SECRETS[secret]
    return bits(n, log_q, math.log2(tuniform_variance(tuniform)) / 2 - sigma_loss)


def slope(secret):
    """Bits of security per bit of σ."""
    return secret_bits(secret) - secret_bits(secret, 1.0)


def honest_loss(secret, n, t):
    """Bits of σ missing without the corrupt parties' noise: none where the honest ones hold the specified variance."""
    return 0.0 if secret in ("ns", "nsc") else math.log2(n / (n - t)) / 2


def committees():
    yield ["secret", "noise", "model, as specified", "per bit of σ"] + [f"{n}/{t}" for n, t in COMMITTEES]
    for secret, (dimension, _, tuniform) in SECRETS.items():
        base = secret_bits(secret)
        losses = [base - secret_bits(secret, honest_loss(secret, n, t)) for n, t in COMMITTEES]
        yield [f"`{secret}` {dimension}", f"TUniform({tuniform})", f"{base:.1f}", f"{slope(secret):.2f}"] + [
            f"−{loss:.2f}" if loss else "0" for loss in losses
        ]
