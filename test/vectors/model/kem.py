"""X-Wing decapsulation: ML-KEM-768 (FIPS 203) without a number theoretic transform, and X25519 (RFC 7748)."""

from hashes import sponge

Q, SIZE, K, ETA, DU, DV = 3329, 256, 3, 2, 10, 4


def sha3_256(data):
    return sponge(136, 0x06, data, 32)


def sha3_512(data):
    return sponge(72, 0x06, data, 64)


def shake128(data, length):
    return sponge(168, 0x1F, data, length)


def shake256(data, length):
    return sponge(136, 0x1F, data, length)


def _roots():
    """zeta^BitRev7(i) and zeta^(2·BitRev7(i)+1), zeta = 17."""
    reverse = [int(f"{i:07b}"[::-1], 2) for i in range(128)]
    return [pow(17, r, Q) for r in reverse], [pow(17, 2 * r + 1, Q) for r in reverse]


_ZETAS, _GAMMAS = _roots()


def ntt(f):
    """FIPS 203 algorithm 9, as the definition says it: f modulo each X^2 - gamma."""
    out = [0] * SIZE
    for i, gamma in enumerate(_GAMMAS):
        power = 1
        for j in range(0, SIZE, 2):
            out[2 * i] += f[j] * power
            out[2 * i + 1] += f[j + 1] * power
            power = power * gamma % Q
    return [c % Q for c in out]


def inverse_ntt(f):
    """The Chinese remainder of the 128 residues, through the orthogonality of the powers of gamma."""
    out = [0] * SIZE
    scale = pow(128, -1, Q)
    for i, gamma in enumerate(_GAMMAS):
        inverse, power = pow(gamma, -1, Q), 1
        for j in range(0, SIZE, 2):
            out[j] += f[2 * i] * power
            out[j + 1] += f[2 * i + 1] * power
            power = power * inverse % Q
    return [c * scale % Q for c in out]


def product(f, g):
    out = []
    for i, gamma in enumerate(_GAMMAS):
        a0, a1, b0, b1 = f[2 * i], f[2 * i + 1], g[2 * i], g[2 * i + 1]
        out += [(a0 * b0 + a1 * b1 * gamma) % Q, (a0 * b1 + a1 * b0) % Q]
    return out


def total(polynomials):
    return [sum(column) % Q for column in zip(*polynomials)]


def sample_uniform(seed):
    stream, out = shake128(seed, 168 * 8), []
    for at in range(0, len(stream), 3):
        a, b, c = stream[at : at + 3]
        for value in (a + 256 * (b % 16), b // 16 + 16 * c):
            if value < Q and len(out) < SIZE:
                out.append(value)
    assert len(out) == SIZE
    return out


def sample_binomial(seed, nonce):
    stream = int.from_bytes(shake256(seed + bytes([nonce]), 64 * ETA), "little")
    bits = [stream >> i & 1 for i in range(512 * ETA)]
    return [(sum(bits[4 * i : 4 * i + 2]) - sum(bits[4 * i + 2 : 4 * i + 4])) % Q for i in range(SIZE)]


def pack(polynomial, width):
    value = sum(c << (width * i) for i, c in enumerate(polynomial))
    return value.to_bytes(32 * width, "little")


def unpack(data, width):
    value = int.from_bytes(data, "little")
    return [value >> (width * i) & ((1 << width) - 1) for i in range(SIZE)]


def compress(polynomial, width):
    return [((c << width) + Q // 2) // Q % (1 << width) for c in polynomial]


def decompress(polynomial, width):
    return [(c * Q + (1 << (width - 1))) >> width for c in polynomial]


def matrix(rho):
    return [[sample_uniform(rho + bytes([j, i])) for j in range(K)] for i in range(K)]


def keygen(d):
    seeds = sha3_512(d + bytes([K]))
    rho, sigma = seeds[:32], seeds[32:]
    a = matrix(rho)
    s = [ntt(sample_binomial(sigma, i)) for i in range(K)]
    e = [ntt(sample_binomial(sigma, K + i)) for i in range(K)]
    t = [total([product(a[i][j], s[j]) for j in range(K)] + [e[i]]) for i in range(K)]
    return b"".join(pack(p, 12) for p in t) + rho, s


def encrypt(public, message, randomness):
    t = [unpack(public[384 * i : 384 * i + 384], 12) for i in range(K)]
    a = matrix(public[384 * K :])
    y = [ntt(sample_binomial(randomness, i)) for i in range(K)]
    e1 = [sample_binomial(randomness, K + i) for i in range(K)]
    e2 = sample_binomial(randomness, 2 * K)
    u = [total([inverse_ntt(total([product(a[j][i], y[j]) for j in range(K)])), e1[i]]) for i in range(K)]
    mu = decompress(unpack(message, 1), 1)
    v = total([inverse_ntt(total([product(t[j], y[j]) for j in range(K)])), e2, mu])
    return b"".join(pack(compress(p, DU), DU) for p in u) + pack(compress(v, DV), DV)


def decapsulate(d, z, ciphertext):
    public, s = keygen(d)
    u = [decompress(unpack(ciphertext[320 * i : 320 * i + 320], DU), DU) for i in range(K)]
    v = decompress(unpack(ciphertext[320 * K :], DV), DV)
    inner = inverse_ntt(total([product(s[i], ntt(u[i])) for i in range(K)]))
    message = pack(compress([(x - y) % Q for x, y in zip(v, inner)], 1), 1)
    seeds = sha3_512(message + sha3_256(public))
    if encrypt(public, message, seeds[32:]) == ciphertext:
        return seeds[:32]
    return shake256(z + ciphertext, 32)


def x25519(scalar, point):
    p = 2**255 - 19
    k = int.from_bytes(scalar, "little") & ~7 & ~(1 << 255) | 1 << 254
    x1 = (int.from_bytes(point, "little") & ~(1 << 255)) % p
    x2, z2, x3, z3 = 1, 0, x1, 1
    for bit in range(254, -1, -1):
        swap = k >> bit & 1
        if swap:
            x2, z2, x3, z3 = x3, z3, x2, z2
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        da, cb = d * a, c * b
        x3, z3 = (da + cb) ** 2 % p, x1 * (da - cb) ** 2 % p
        e = a * a - b * b
        x2, z2 = a * a * b * b % p, e * (a * a + 121665 * e) % p
        if swap:
            x2, z2, x3, z3 = x3, z3, x2, z2
    return (x2 * pow(z2, p - 2, p) % p).to_bytes(32, "little")


def xwing_decapsulate(secret, ciphertext):
    """@param secret 32 bytes; ciphertext = ML-KEM's 1088 bytes ‖ 32 bytes of X25519."""
    expanded = shake256(secret, 96)
    lattice = decapsulate(expanded[:32], expanded[32:64], ciphertext[:1088])
    own = expanded[64:]
    base = (9).to_bytes(32, "little")
    curve = x25519(own, ciphertext[1088:])
    return sha3_256(lattice + curve + ciphertext[1088:] + x25519(own, base) + rb"\.//^" + b"\\")
