"""Shamir sharing over the ring, protocol section 3."""

import ring
from vector import Refused


def run(inputs):
    if inputs.one("operation") == "share":
        coefficients = [ring.decode(bytes.fromhex(text)) for text in inputs.all("coefficient")]
        return [
            ("share", f"{party} {ring.encode(ring.evaluate(coefficients, ring.alpha(party))).hex()}")
            for party in range(1, inputs.number("n") + 1)
        ]
    shares = inputs.indexed("share")
    points = {party: ring.decode(value) for party, value in shares}
    if len(points) != len(shares) or not shares:
        raise Refused("SHAMIR_POINTS")
    return [("secret", ring.encode(ring.interpolate(points, 0)).hex())]
