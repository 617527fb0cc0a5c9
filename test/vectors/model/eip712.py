"""EIP-712, read from the type string: nothing here knows a type of the protocol."""

from hashes import keccak256, word
from vector import Refused

DOMAIN = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"


def atom(kind, text):
    if kind.startswith("uint"):
        value = int(text)
        if value >> int(kind[4:]):
            raise Refused("EIP712_RANGE")
        return word(value)
    if kind == "bytes":
        return keccak256(bytes.fromhex(text))
    return word(bytes.fromhex(text))


def run(inputs):
    text = inputs.one("type")
    fields = [field.split(" ") for field in text[text.index("(") + 1 : -1].split(",")]
    encoded = keccak256(text.encode())
    for kind, name in fields:
        if kind.endswith("[]"):
            encoded += keccak256(b"".join(atom(kind[:-2], value) for value in inputs.all(name)))
        else:
            encoded += atom(kind, inputs.one(name))
    struct = keccak256(encoded)
    domain = keccak256(
        keccak256(DOMAIN)
        + keccak256(b"Twinlock")
        + keccak256(b"1")
        + word(inputs.number("domainChainId"))
        + word(inputs.bytes("verifyingContract"))
    )
    return [("structHash", struct.hex()), ("digest", keccak256(b"\x19\x01" + domain + struct).hex())]
