"""Wire form of gossip messages, protocol section 6, and what their senders sign."""

from hashlib import sha256

from hashes import keccak256, tagged, word
from vector import Refused

KINDS = {
    1: "approval",
    2: "decryption-shares",
    3: "signing-request",
    4: "signature-share",
    5: "certificate-announcement",
    6: "endorsement",
    7: "fresh-quote",
}
APPROVED = b"Approved(bytes32 subject,bytes32[] sessions)"
APPROVAL = (
    b"Approval(bytes32 keyId,uint32 epoch,Approved[] approved,uint64 blockNumber,bytes32 blockHash,"
    b"uint8 verdict,bytes32 commitments)" + APPROVED
)
DOMAIN = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"


class Bytes:
    def __init__(self, data):
        self.data = data

    def take(self, length):
        if length > len(self.data):
            raise Refused("CODEC_SHORT")
        taken, self.data = self.data[:length], self.data[length:]
        return taken

    def uint(self, length):
        return int.from_bytes(self.take(length), "big")

    def list(self, most, item):
        length = self.uint(2)
        if length > most:
            raise Refused("CODEC_LIMIT")
        return [item() for _ in range(length)]

    def bytes(self, most):
        length = self.uint(4)
        if length > most:
            raise Refused("CODEC_LIMIT")
        return self.take(length)

    def party(self):
        party = self.uint(1)
        if not 1 <= party <= 15:
            raise Refused("BAD_PARTY_INDEX")
        return party

    def pairs(self):
        return self.list(8, lambda: self.take(66))

    def subjects(self):
        return self.list(256, lambda: self.take(32))


def want(holds):
    if not holds:
        raise Refused("MESSAGE_FORM")


def commitments_hash(pairs):
    return keccak256(b"".join(pairs)) if pairs else bytes(32)


def distinct(items, most):
    want(1 <= len(items) <= most and len(set(items)) == len(items))
    return [keccak256(b"".join(items)), len(items)]


def approval(r, head, domain):
    approved = r.list(64, lambda: (r.take(32), r.list(64, lambda: r.take(32))))
    number, block, verdict = r.uint(8), r.take(32), r.uint(1)
    want(verdict == 1)
    pairs = r.pairs()

    def digest():
        distinct([subject for subject, _ in approved], 64)
        want(all(sessions for _, sessions in approved))
        want(sum(len(sessions) for _, sessions in approved) <= 256)
        items = [keccak256(keccak256(APPROVED) + s + keccak256(b"".join(sessions))) for s, sessions in approved]
        key_id, epoch, _ = head
        words = [key_id, epoch, keccak256(b"".join(items)), number, block, verdict, commitments_hash(pairs)]
        struct = keccak256(keccak256(APPROVAL) + b"".join(map(word, words)))
        return keccak256(b"\x19\x01" + domain + struct)

    return digest


def decryption_shares(r, head, _):
    shares = r.list(64, lambda: (r.take(32), r.take(32), r.bytes(64 * 64)))

    def digest():
        distinct([subject + session for subject, session, _ in shares], 64)
        want(all(share and len(share) % 64 == 0 for _, _, share in shares))
        want(sum(len(share) for _, _, share in shares) <= 65536)
        items = b"".join(subject + session + sha256(share).digest() for subject, session, share in shares)
        return tagged("twinlock/decryption-shares/v1", *head, len(shares), keccak256(items))

    return digest


def signing_request(r, head, _):
    attempt, subjects, root = r.uint(4), r.subjects(), r.take(32)
    signers = r.list(15, lambda: (r.party(), r.take(66)))

    def digest():
        named = distinct(subjects, 256)
        parties = [party for party, _ in signers]
        want(parties and parties == sorted(set(parties)))
        listed = keccak256(b"".join(bytes([party]) + pair for party, pair in signers))
        return tagged("twinlock/signing-request/v1", *head, attempt, *named, root, listed)

    return digest


def signature_share(r, head, _):
    request, share, pairs = r.take(32), r.take(32), r.pairs()
    return lambda: tagged("twinlock/signature-share/v1", *head, request, share, commitments_hash(pairs))


def announcement(r, head, _):
    subjects, root, signers, point, s = r.subjects(), r.take(32), r.uint(2), r.take(20), r.uint(32)

    def digest():
        named = distinct(subjects, 256)
        want(0 < signers < 2**15)
        return tagged("twinlock/certificate-announcement/v1", *head, *named, root, signers, point, s)

    return digest


def endorsement(r, head, _):
    subjects, root, signature = r.subjects(), r.take(32), r.take(65)
    return lambda: tagged("twinlock/endorsement/v1", *head, *distinct(subjects, 256), root, keccak256(signature))


def fresh_quote(r, head, _):
    subjects, root, evidence = r.subjects(), r.take(32), r.bytes(12288)

    def digest():
        named = distinct(subjects, 256)
        want(evidence)
        return tagged("twinlock/fresh-quote-message/v1", *head, *named, root, keccak256(evidence))

    return digest


READERS = {
    "approval": approval,
    "decryption-shares": decryption_shares,
    "signing-request": signing_request,
    "signature-share": signature_share,
    "certificate-announcement": announcement,
    "endorsement": endorsement,
    "fresh-quote": fresh_quote,
}


def run(inputs):
    data = inputs.bytes("bytes")
    domain = keccak256(
        keccak256(DOMAIN)
        + keccak256(b"Twinlock")
        + keccak256(b"1")
        + word(inputs.number("domainChainId"))
        + word(inputs.bytes("verifyingContract"))
    )
    if len(data) < 2 or data[0] != 2 or data[1] not in KINDS:
        raise Refused("MESSAGE_KIND")
    kind = KINDS[data[1]]
    r = Bytes(data[2:])
    key_id, epoch = r.take(32), r.uint(4)
    if epoch == 0:
        raise Refused("BAD_EPOCH")
    party = r.party()
    digest = READERS[kind](r, (key_id, epoch, party), domain)
    signature = r.take(65)
    if r.data:
        raise Refused("CODEC_TRAILING")
    return [
        ("kind", kind),
        ("epoch", str(epoch)),
        ("party", str(party)),
        ("digest", digest().hex()),
        ("signature", signature.hex()),
    ]
