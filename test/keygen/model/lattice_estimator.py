"""Runs the lattice estimator on the secrets of a key, with the noise that is left if t enclaves are broken.

Not run in this repository, which has no Sage; nothing that it would print is checked in. Elsewhere:
    git clone https://github.com/malb/lattice-estimator
    PYTHONPATH=lattice-estimator sage -python test/keygen/model/lattice_estimator.py
One line per secret and committee; `base` is the specified noise. The last column includes the row check's loss. Slow:
minutes per line for the large dimensions.
"""

import math

from estimator import LWE, ND, RC

from lwe import honest_loss
from parts import BY_NAME, COMMITTEES, SECRETS, tuniform_variance
from row_check import CHECKS, eigenvalue, sigma_loss


def estimate(secret, loss):
    """Bits under RC.MATZOV: the cheapest of primal uSVP, primal hybrid and dual hybrid attack."""
    n, log_q, tuniform = SECRETS[secret]
    sigma = math.sqrt(tuniform_variance(tuniform)) / 2**loss
    parameters = LWE.Parameters(n=n, q=2**log_q, Xs=ND.Uniform(0, 1), Xe=ND.DiscreteGaussian(sigma))
    attacks = (LWE.primal_usvp, LWE.primal_hybrid, LWE.dual_hybrid)
    return min(math.log2(attack(parameters, red_cost_model=RC.MATZOV)["rop"]) for attack in attacks)


def hint_loss(secret):
    """The worst of the parts under this secret."""
    return max(sigma_loss(check, eigenvalue(check)) for check in CHECKS if BY_NAME[check.part].under == secret)


if __name__ == "__main__":
    for secret in SECRETS:
        hint = hint_loss(secret)
        print(f"{secret} base {estimate(secret, 0.0):.2f} {estimate(secret, hint):.2f}", flush=True)
        for n, t in COMMITTEES:
            loss = honest_loss(secret, n, t)
            print(f"{secret} {n}/{t} {estimate(secret, loss):.2f} {estimate(secret, loss + hint):.2f}", flush=True)
