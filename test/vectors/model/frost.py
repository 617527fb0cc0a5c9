"""FROST (RFC 9591) over secp256k1 with the challenge of protocol section 6, in affine coordinates."""

from hashes import keccak256, keccak512, word
from vector import Refused

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)
SUITE = b"FROST-secp256k1-KECCAK-ecrecover-v1"


def plus(a, b):
    """None is the point at infinity."""
    if a is None or b is None:
        return b if a is None else a
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    if a == b:
        slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, P) % P
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (slope * slope - a[0] - b[0]) % P
    return (x, (slope * (a[0] - x) - a[1]) % P)


def times(scalar, point):
    result = None
    while scalar:
        if scalar & 1:
            result = plus(result, point)
        point = plus(point, point)
        scalar >>= 1
    return result


def compress(point):
    return bytes([2 + point[1] % 2]) + point[0].to_bytes(32, "big")


def parse(data):
    """The point, or None where the bytes are no compressed point."""
    if len(data) != 33 or data[0] not in (2, 3):
        return None
    x = int.from_bytes(data[1:], "big")
    square = (x**3 + 7) % P
    y = pow(square, (P + 1) // 4, P)
    if x >= P or y * y % P != square:
        return None
    return (x, y if y % 2 == data[0] % 2 else P - y)


def address(point):
    return keccak256(point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big"))[12:]


def to_scalar(purpose, message):
    return int.from_bytes(keccak512(SUITE + purpose + message), "big") % N


def weight(parties, party):
    """Lagrange coefficient at 0."""
    top = bottom = 1
    for other in parties:
        if other != party:
            top = top * other % N
            bottom = bottom * (other - party) % N
    return top * pow(bottom, -1, N) % N


def run(inputs):
    quorum, message = inputs.number("quorum"), inputs.bytes("message")
    joint = [parse(bytes.fromhex(text)) for text in inputs.all("groupCommitment")]
    group = joint[0]
    pairs = inputs.indexed("commitment")
    parties = [party for party, _ in pairs]
    if parties != sorted(set(parties)) or len(parties) < quorum:
        raise Refused("FROST_FORM")
    commitments = {party: (parse(pair[:33]), parse(pair[33:])) for party, pair in pairs}
    for party, pair in commitments.items():
        if None in pair:
            raise Refused("FROST_COMMITMENT", [party])

    listed = b"".join(party.to_bytes(32, "big") + pair for party, pair in pairs)
    prefix = compress(group) + keccak256(SUITE + b"msg" + message) + keccak256(SUITE + b"com" + listed)
    factors = {party: to_scalar(b"rho", prefix + party.to_bytes(32, "big")) for party in parties}
    effective = {p: plus(commitments[p][0], times(factors[p], commitments[p][1])) for p in parties}
    nonce = None
    for point in effective.values():
        nonce = plus(nonce, point)
    group_v = 27 + group[1] % 2
    hashed = keccak256(word(group[0]) + bytes([group_v]) + message + address(nonce))
    challenge = int.from_bytes(hashed, "big") % N

    answers = dict(inputs.indexed("answer"))
    if not answers:
        nonces = dict(inputs.indexed("nonces"))
        for party, secret in inputs.indexed("keyShare"):
            hiding, binding = (int.from_bytes(part, "big") for part in (nonces[party][:32], nonces[party][32:]))
            assert commitments[party] == (times(hiding, G), times(binding, G)), "commitments are of the nonces"
            share = hiding + factors[party] * binding + weight(parties, party) * challenge * int.from_bytes(secret, "big")
            answers[party] = (share % N).to_bytes(32, "big")
    outside = [p for p, share in answers.items() if len(share) != 32 or int.from_bytes(share, "big") >= N]
    if outside:
        raise Refused("FROST_SHARE_RANGE", outside)
    scalars = {party: int.from_bytes(share, "big") for party, share in answers.items()}
    s = sum(scalars.values()) % N
    if times(s, G) != plus(nonce, times(challenge, group)):
        raise Refused("FROST_SHARE_INVALID", [p for p in parties if not holds(p, scalars[p], effective, parties, challenge, joint)])
    return [
        ("groupX", f"{group[0]:064x}"),
        ("groupV", str(group_v)),
        *[("share", f"{party} {share.hex()}") for party, share in answers.items()],
        ("r", address(nonce).hex()),
        ("s", f"{s:064x}"),
    ]


def holds(party, share, effective, parties, challenge, joint):
    public = None
    for k, point in enumerate(joint):
        public = plus(public, times(pow(party, k, N), point))
    right = plus(effective[party], times(challenge * weight(parties, party) % N, public))
    return times(share, G) == right
