"""GR(2^128, 4) = Z_{2^128}[X]/(X^4 + X + 1), protocol section 3. Long division instead of reduction formulas."""

from vector import Refused

WORD = 1 << 128


def decode(data):
    if len(data) < 64:
        raise Refused("RING_LENGTH")
    return tuple(int.from_bytes(data[16 * i : 16 * i + 16], "little") for i in range(4))


def encode(a):
    return b"".join(c.to_bytes(16, "little") for c in a)


def add(a, b):
    return tuple((x + y) % WORD for x, y in zip(a, b))


def sub(a, b):
    return tuple((x - y) % WORD for x, y in zip(a, b))


def mul(a, b):
    product = [0] * 7
    for i in range(4):
        for j in range(4):
            product[i + j] += a[i] * b[j]
    for k in (6, 5, 4):  # subtract product[k]·X^(k-4)·(X^4 + X + 1)
        product[k - 3] -= product[k]
        product[k - 4] -= product[k]
    return tuple(c % WORD for c in product[:4])


def alpha(index):
    return tuple(index >> i & 1 for i in range(4))


def invert(a):
    """a^(-1) as a power: the units have order 15·2^508, since the units congruent to 1 form a 2-group of 2^(4·127)."""
    if all(c % 2 == 0 for c in a):
        raise Refused("RING_NOT_A_UNIT")
    exponent = 15 * 2**508 - 1
    result, base = (1, 0, 0, 0), a
    while exponent:
        if exponent & 1:
            result = mul(result, base)
        base = mul(base, base)
        exponent >>= 1
    return result


def evaluate(coefficients, x):
    value, power = (0, 0, 0, 0), (1, 0, 0, 0)
    for c in coefficients:
        value = add(value, mul(c, power))
        power = mul(power, x)
    return value


_inverses = {}


def inverse_of_difference(i, j):
    """1/(alpha_i - alpha_j); inverses are slow and there are few."""
    if (i, j) not in _inverses:
        _inverses[i, j] = invert(sub(alpha(i), alpha(j)))
    return _inverses[i, j]


_weights = {}


def weights(parties, at):
    """Lagrange coefficients at the point of index `at`."""
    key = (tuple(parties), at)
    if key not in _weights:
        found = []
        for i in parties:
            weight = (1, 0, 0, 0)
            for j in parties:
                if j != i:
                    weight = mul(mul(weight, sub(alpha(at), alpha(j))), inverse_of_difference(i, j))
            found.append(weight)
        _weights[key] = found
    return _weights[key]


def interpolate(points, at):
    """Value at index `at` of the polynomial through {party: element}."""
    parties = sorted(points)
    value = (0, 0, 0, 0)
    for party, weight in zip(parties, weights(parties, at)):
        value = add(value, mul(weight, points[party]))
    return value


def run(inputs):
    a = decode(inputs.bytes("a"))
    if inputs.one("operation") == "invert":
        return [("result", encode(invert(a)).hex())]
    return [("result", encode(mul(a, decode(inputs.bytes("b")))).hex())]
