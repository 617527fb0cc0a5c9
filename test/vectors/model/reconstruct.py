"""Robust opening by exhaustive search, protocol section 3: no decoder, every candidate polynomial is tried."""

from itertools import combinations
from math import comb

import ring
from vector import Refused


def candidate(shares, t, budget):
    """Parties off the one polynomial of degree t that all but `budget` shares lie on, or None."""
    for base in combinations(sorted(shares), t + 1):
        points = {party: shares[party] for party in base}
        off = [party for party in shares if ring.interpolate(points, party) != shares[party]]
        if len(off) <= budget:
            return off
    return None


def attempt(heard, t, blocks):
    count = len(heard)
    budget = min(count - (2 * t + 1), t, (count - t - 1) // 2)
    if budget < 0:
        return None
    liars = set()
    for block in range(blocks):
        off = candidate({party: values[block] for party, values in heard.items()}, t, budget)
        if off is None or count - len(off) <= 2 * t:
            return None
        liars.update(off)
    return liars if len(liars) <= t else None


def run(inputs):
    n, t, blocks = (inputs.number(key) for key in ("n", "t", "blocks"))
    if t < 1 or n < 3 * t + 1 or n > 15 or comb(n, t) >= 2048:
        raise Refused("COMMITTEE_SIZE")
    if not 1 <= blocks <= 64:
        raise Refused("OPENING_SIZE")
    heard, culprits, base = {}, set(), None
    states = []
    for party, data in inputs.indexed("arrival"):
        if not 1 <= party <= n:
            raise Refused("BAD_PARTY_INDEX")
        if len(data) != 64 * blocks:
            raise Refused("OPENING_SHARE_LENGTH", [party])
        values = [ring.decode(data[64 * k :]) for k in range(blocks)]
        if party in heard:
            if heard[party] != values:
                culprits.add(party)
        else:
            heard[party] = values
            if base is None:
                liars = attempt(heard, t, blocks)
                if liars is not None:
                    culprits |= liars
                    base = [p for p in heard if p not in liars][: t + 1]
            elif any(
                ring.interpolate({p: heard[p][k] for p in base}, party) != values[k] for k in range(blocks)
            ):
                culprits.add(party)
        named = ",".join(map(str, sorted(culprits))) or "-"
        if base is None:
            states.append(("state", f"waiting {named}"))
        else:
            opened = [ring.interpolate({p: heard[p][k] for p in base}, 0) for k in range(blocks)]
            states.append(("state", f"opened {named} {b''.join(map(ring.encode, opened)).hex()}"))
    return states
