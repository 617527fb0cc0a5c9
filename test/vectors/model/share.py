"""Decryption shares, protocol section 5: AES-256 by the definition, one counter block at a time."""

import hashlib
import hmac
from itertools import combinations
from math import comb

import ring
from vector import Refused

NS, NSC, DEGREE = 4096, 6144, 1024


def seeded(label, length):
    """What a label stands for: SHA-256 of label/0, label/1, …"""
    out = bytearray()
    for counter in range((length + 31) // 32):
        out += hashlib.sha256(f"{label}/{counter}".encode()).digest()
    return bytes(out[:length])


def _xtime(a):
    return (a << 1 ^ (0x11B if a & 0x80 else 0)) & 0xFF


def _times(a, b):
    product = 0
    while b:
        if b & 1:
            product ^= a
        a, b = _xtime(a), b >> 1
    return product


def _sbox():
    box = []
    for value in range(256):
        inverse = next((x for x in range(256) if _times(value, x) == 1), 0)
        rotated = [(inverse << i | inverse >> (8 - i)) & 0xFF for i in range(5)]
        box.append(rotated[0] ^ rotated[1] ^ rotated[2] ^ rotated[3] ^ rotated[4] ^ 0x63)
    return box


SBOX = _sbox()


def aes256(key):
    """The block cipher under a key (FIPS 197)."""
    words = [list(key[4 * i : 4 * i + 4]) for i in range(8)]
    constant = 1
    for i in range(8, 60):
        word = list(words[i - 1])
        if i % 8 == 0:
            word = [SBOX[b] for b in word[1:] + word[:1]]
            word[0] ^= constant
            constant = _xtime(constant)
        elif i % 8 == 4:
            word = [SBOX[b] for b in word]
        words.append([a ^ b for a, b in zip(words[i - 8], word)])
    round_keys = [sum(words[4 * r : 4 * r + 4], []) for r in range(15)]

    def encrypt(block):
        state = [a ^ b for a, b in zip(block, round_keys[0])]
        for r in range(1, 15):
            state = [SBOX[b] for b in state]
            state = [state[(i + 4 * (i % 4)) % 16] for i in range(16)]
            if r < 14:
                mixed = []
                for column in range(0, 16, 4):
                    s = state[column : column + 4]
                    mixed += [
                        _xtime(s[i]) ^ _xtime(s[(i + 1) % 4]) ^ s[(i + 1) % 4] ^ s[(i + 2) % 4] ^ s[(i + 3) % 4]
                        for i in range(4)
                    ]
                state = mixed
            state = [a ^ b for a, b in zip(state, round_keys[r])]
        return bytes(state)

    return encrypt


def hkdf32(secret, info):
    return hmac.digest(hmac.digest(bytes(32), secret, "sha256"), info + b"\x01", "sha256")


def flood_bound(n, t):
    bound = 1 << 121
    while 2 * comb(n, t) * bound + 2**70 >= 2**122:
        bound //= 2
    return bound


def factor(members, party, n):
    """f_A(alpha_party): 1 at 0, zero at every party outside A."""
    value = (1, 0, 0, 0)
    for j in range(1, n + 1):
        if j not in members:
            top = ring.sub(ring.alpha(party), ring.alpha(j))
            value = ring.mul(ring.mul(value, top), ring.inverse_of_difference(0, j))
    return value


def scale(element, by):
    return tuple(c * by % ring.WORD for c in element)


def masks(i, context, blocks):
    n, t, party = i.number("n"), i.number("t"), i.number("party")
    bound = flood_bound(n, t)
    sums = [(0, 0, 0, 0)] * blocks
    for members in combinations(range(1, n + 1), n - t):
        if party not in members:
            continue
        bitmask = sum(1 << (j - 1) for j in members)
        key = hkdf32(seeded(f"{i.one('keys')}/{bitmask}", 32), b"twinlock/prss/v1" + context + b"phi")
        cipher, weight = aes256(key), factor(members, party, n)
        for k in range(blocks):
            phi = 0
            for counter in (2 * k, 2 * k + 1):
                word = int.from_bytes(cipher(counter.to_bytes(16, "big")), "little")
                phi += word % (2 * bound) - bound
            sums[k] = ring.add(sums[k], scale(weight, phi))
    return sums


def phases(words, elements, packed, blocks):
    value = [int.from_bytes(words[16 * j : 16 * j + 16], "little") for j in range(len(words) // 16)]
    share = [ring.decode(elements[64 * j : 64 * j + 64]) for j in range(NS + NSC)]
    out = []
    for k in range(blocks):
        total = [0, 0, 0, 0]
        if packed:
            total[0] = value[NSC + k]
            for p in range(0, NSC, DEGREE):
                for j in range(DEGREE):  # A_p[j]·X^j meets S_p[k - j], with a sign where it wraps
                    sign = 1 if j <= k else -1
                    s = share[NS + p + (k - j) % DEGREE]
                    for c in range(4):
                        total[c] -= sign * value[p + j] * s[c]
        else:
            row = value[k * (NS + 1) : (k + 1) * (NS + 1)]
            total[0] = row[NS]
            for a, s in zip(row[:NS], share):
                for c in range(4):
                    total[c] -= a * s[c]
        out.append(tuple(c % ring.WORD for c in total))
    return out


def run(i):
    blocks, packed = i.number("blocks"), i.one("format") == "packed"
    if blocks not in ((8, 16, 32, 40, 64) if packed else (1, 2, 4)):
        raise Refused("SHARE_WORDS")
    length = 16 * (NSC + blocks) if packed else 16 * (NS + 1) * blocks
    words = bytes(length) if i.one("words") == "zero" else seeded(i.one("words"), length)
    digest = hashlib.sha256(words).digest()
    tag = b"twinlock/mask-context/v2" + i.bytes("session") + bytes([2 if packed else 1])
    context = hashlib.sha256(tag + digest).digest()
    elements = seeded(i.one("elements"), 64 * (NS + NSC))
    parts = zip(phases(words, elements, packed, blocks), masks(i, context, blocks))
    return [("share", b"".join(ring.encode(ring.add(p, m)) for p, m in parts).hex())]
