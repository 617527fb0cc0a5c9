"""Bytes that the busiest party of a ceremony sends for the key: bit phase, its checks, contributions, published sums."""

from parts import COMMITTEES, PARTS

BITS = 17_196
ELEMENT = 64
REPETITIONS = 32
WIDE = ("squashing-key", "squashed-compression-key")


def body_bytes():
    """Of all parts, the compact public key included."""
    return sum(part.rows * part.row_words * (16 if part.name in WIDE else 8) for part in PARTS)


def bit_phase(n):
    """One input and one resharing for each of the n - 1 products, of every bit, to each other party; and the blinds."""
    return (n - 1) * ELEMENT * (n * BITS + REPETITIONS)


def check_points(n):
    """Points of the degree check for every dealer and of the product check, to each other party."""
    return (n - 1) * ELEMENT * REPETITIONS * (n + 1)


def committees():
    rows = [
        ["bit phase, MB", lambda n: bit_phase(n) / 1e6],
        ["points of its checks, MB", lambda n: check_points(n) / 1e6],
        ["contributions, MB", lambda n: body_bytes() * (n - 1) / n / 1e6],
        ["published sums, MB", lambda n: body_bytes() / n / 1e6],
    ]
    yield ["sent by one party"] + [f"{n}/{t}" for n, t in COMMITTEES]
    for title, cell in rows:
        yield [title] + [f"{cell(n):.3g}" for n, _ in COMMITTEES]
