"""Bytes that the busiest party of a ceremony sends and fetches for the key: bit phase, contributions, checks, sums."""

from parts import BY_NAME, COMMITTEES, PARTS
from row_check import CHECKS, opened

BITS = 17_196
ELEMENT = 64
REPETITIONS = 32
WIDE = ("squashing-key", "squashed-compression-key")
# Their messages are products of two shares, so their sums are shared with degree 2t.
PRODUCTS = ("bootstrapping-key", "pseudo-random-function-key", "decompression-key", "squashing-key")


def word_bytes(part):
    return 16 if part.name in WIDE else 8


def body_bytes():
    """Of all parts, the compact public key included."""
    return sum(part.rows * part.row_words * word_bytes(part) for part in PARTS)


def bit_phase(n):
    """One input and one resharing for each of the n - 1 products, of every bit, to each other party; and the blinds."""
    return (n - 1) * ELEMENT * (n * BITS + REPETITIONS)


def check_points(n):
    """Points of the degree check for every dealer and of the product check, to each other party."""
    return (n - 1) * ELEMENT * REPETITIONS * (n + 1)


def row_check(n, t):
    """Noise to each other party but for as many as its degree, who get a seed; and the points to each other party."""

    def one(check):
        degree = 2 * t if check.part in PRODUCTS else t
        return opened(check) * word_bytes(BY_NAME[check.part]) * (2 * (n - 1) - degree)

    return sum(map(one, CHECKS))


def sent(n, t):
    return bit_phase(n) + check_points(n) + body_bytes() + row_check(n, t)


def megabytes(count):
    return f"{count / 1e6:.3g}" if count < 1e9 else f"{count / 1e6:,.0f}"


def committees():
    rows = [
        ["bit phase", lambda n, t: bit_phase(n)],
        ["points of its checks", lambda n, t: check_points(n)],
        ["contributions", lambda n, t: body_bytes() * (n - 1) / n],
        ["published sums", lambda n, t: body_bytes() / n],
        ["noise and points of the row check", row_check],
        ["**all of these**", sent],
        ["fetched: the sums of all parties", lambda n, t: body_bytes()],
        ["the same, by all parties together", lambda n, t: n * body_bytes()],
    ]
    yield ["MB, sent by one party"] + [f"{n}/{t}" for n, t in COMMITTEES]
    for title, cell in rows:
        yield [title] + [megabytes(cell(n, t)) for n, t in COMMITTEES]
