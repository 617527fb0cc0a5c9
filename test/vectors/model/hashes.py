"""Keccak (FIPS 202 and Ethereum's older padding), and the tagged hashes of protocol section 1."""

MASK = (1 << 64) - 1
ROUNDS = []
OFFSETS = [[0] * 5 for _ in range(5)]


def _constants():
    state = 1

    def bit():
        nonlocal state
        out = state & 1
        state = (state << 1) ^ (0x171 if state & 0x80 else 0)
        return out

    for _ in range(24):
        constant = 0
        for j in range(7):
            if bit():
                constant |= 1 << ((1 << j) - 1)
        ROUNDS.append(constant)
    x, y = 1, 0
    for t in range(24):
        OFFSETS[x][y] = ((t + 1) * (t + 2) // 2) % 64
        x, y = y, (2 * x + 3 * y) % 5


_constants()


def _rotate(value, by):
    return ((value << by) | (value >> (64 - by))) & MASK if by else value


def _permute(a):
    for constant in ROUNDS:
        c = [a[x][0] ^ a[x][1] ^ a[x][2] ^ a[x][3] ^ a[x][4] for x in range(5)]
        d = [c[(x - 1) % 5] ^ _rotate(c[(x + 1) % 5], 1) for x in range(5)]
        a = [[a[x][y] ^ d[x] for y in range(5)] for x in range(5)]
        b = [[0] * 5 for _ in range(5)]
        for x in range(5):
            for y in range(5):
                b[y][(2 * x + 3 * y) % 5] = _rotate(a[x][y], OFFSETS[x][y])
        a = [[b[x][y] ^ (~b[(x + 1) % 5][y] & MASK & b[(x + 2) % 5][y]) for y in range(5)] for x in range(5)]
        a[0][0] ^= constant
    return a


def sponge(rate, suffix, message, length):
    padded = bytearray(message) + bytearray([suffix])
    padded += bytes(-len(padded) % rate)
    padded[-1] ^= 0x80
    state = [[0] * 5 for _ in range(5)]
    for at in range(0, len(padded), rate):
        for i in range(rate // 8):
            state[i % 5][i // 5] ^= int.from_bytes(padded[at + 8 * i : at + 8 * i + 8], "little")
        state = _permute(state)
    out = b""
    while True:
        out += b"".join(state[i % 5][i // 5].to_bytes(8, "little") for i in range(rate // 8))
        if len(out) >= length:
            return out[:length]
        state = _permute(state)


def keccak256(message):
    return sponge(136, 0x01, message, 32)


def keccak512(message):
    return sponge(72, 0x01, message, 64)


def word(value):
    """One ABI word: an integer, 20 bytes of an address (left-padded), or bytesN (right-padded)."""
    if isinstance(value, int):
        return value.to_bytes(32, "big")
    if len(value) == 20:
        return bytes(12) + value
    return value + bytes(32 - len(value))


def tagged(tag, *words):
    return keccak256(keccak256(tag.encode()) + b"".join(word(w) for w in words))
