"""Sealed shares, protocol section 10: X-Wing, HKDF-SHA256 (RFC 5869), XChaCha20-Poly1305."""

import hmac

import kem
from hashes import keccak256, tagged
from vector import Refused

LEAST = 1 + 1120 + 16 + 32
WORD = 1 << 32


def hkdf(secret, salt, info, length):
    key, out, block = hmac.digest(salt, secret, "sha256"), b"", b""
    while len(out) < length:
        block = hmac.digest(key, block + info + bytes([len(out) // 32 + 1]), "sha256")
        out += block
    return out[:length]


def _rounds(state):
    def quarter(a, b, c, d):
        for x, y, z, by in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            state[x] = (state[x] + state[y]) % WORD
            mixed = state[z] ^ state[x]
            state[z] = (mixed << by | mixed >> (32 - by)) % WORD

    for _ in range(10):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return state


def _words(data):
    return [int.from_bytes(data[i : i + 4], "little") for i in range(0, len(data), 4)]


def _bytes(words):
    return b"".join(w.to_bytes(4, "little") for w in words)


def hchacha(key, nonce):
    state = _rounds(_words(b"expand 32-byte k" + key + nonce))
    return _bytes(state[:4] + state[12:])


def chacha(key, counter, nonce):
    start = _words(b"expand 32-byte k" + key + counter.to_bytes(4, "little") + nonce)
    return _bytes((a + b) % WORD for a, b in zip(start, _rounds(list(start))))


def poly1305(key, message):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for at in range(0, len(message), 16):
        total = (total + int.from_bytes(message[at : at + 16] + b"\x01", "little")) * r % (2**130 - 5)
    return ((total + int.from_bytes(key[16:], "little")) % 2**128).to_bytes(16, "little")


def xchacha_open(key, nonce, associated, box):
    subkey, short = hchacha(key, nonce[:16]), bytes(4) + nonce[16:]
    body, tag = box[:-16], box[-16:]

    def pad(data):
        return data + bytes(-len(data) % 16)

    lengths = len(associated).to_bytes(8, "little") + len(body).to_bytes(8, "little")
    if poly1305(chacha(subkey, 0, short)[:32], pad(associated) + pad(body) + lengths) != tag:
        return None
    stream = b"".join(chacha(subkey, 1 + i, short) for i in range((len(body) + 63) // 64))
    return bytes(a ^ b for a, b in zip(body, stream))


def run(inputs):
    context = tagged(
        "twinlock/sealed-share-context/v1",
        inputs.bytes("keyId"),
        inputs.number("epoch"),
        inputs.bytes("sessionId"),
        inputs.number("chainId"),
        inputs.bytes("handle"),
        inputs.bytes("user"),
        inputs.bytes("permitHash"),
        inputs.number("party"),
    )
    sealed, party = inputs.bytes("sealed"), inputs.number("party")
    if not LEAST <= len(sealed) <= LEAST + 64 * 64:
        raise Refused("SEALED_SHARE_FORM", [party])
    if sealed[0] != 1:
        raise Refused("SEALED_SHARE_OPEN", [party])
    shared = kem.xwing_decapsulate(inputs.bytes("secretKey"), sealed[1:1121])
    material = hkdf(shared, context, b"twinlock/sealed-share/v1", 56)
    opened = xchacha_open(material[:32], material[32:], b"\x01" + context, sealed[1121:])
    if opened is None:
        raise Refused("SEALED_SHARE_OPEN", [party])
    assert opened[:32] == inputs.bytes("sessionId")
    digest = tagged("twinlock/sealed-share/v1", context, keccak256(sealed))
    return [("share", opened[32:].hex()), ("digest", digest.hex())]
