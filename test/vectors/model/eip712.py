"""EIP-712, read from the type string: nothing here knows a type of the protocol."""

import re

from hashes import keccak256, word
from vector import Refused

DOMAIN = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"


def structs_of(text):
    """The fields of every struct that a type string defines, as (type, name)."""
    return {
        name: [tuple(field.split(" ")) for field in fields.split(",")]
        for name, fields in re.findall(r"(\w+)\(([^)]*)\)", text)
    }


def names_in(structs, name):
    """A struct and all that it mentions."""
    inner = {kind.removesuffix("[]") for kind, _ in structs[name]} & structs.keys()
    return {name}.union(*(names_in(structs, other) for other in inner))


def type_of(structs, name):
    """encodeType: the struct itself, then the ones that it mentions by their names."""
    order = [name] + sorted(names_in(structs, name) - {name})
    return "".join(f"{n}({','.join(' '.join(field) for field in structs[n])})" for n in order)


def encode(structs, kind, values):
    """One word: of the items of an array, or of the one value of everything else."""
    if kind.endswith("[]"):
        return keccak256(b"".join(encode(structs, kind[:-2], [value]) for value in values))
    (text,) = values
    if kind in structs:
        # One line, its fields apart by spaces, the items of an array by commas.
        parts = text.split(" ")
        fields = [part.split(",") if inner.endswith("[]") else [part] for part, (inner, _) in zip(parts, structs[kind])]
        return hash_struct(structs, kind, fields)
    if kind.startswith("uint"):
        if int(text) >> int(kind[4:]):
            raise Refused("EIP712_RANGE")
        return word(int(text))
    if kind == "bytes":
        return keccak256(bytes.fromhex(text))
    return word(bytes.fromhex(text))


def hash_struct(structs, name, fields):
    words = [encode(structs, kind, values) for (kind, _), values in zip(structs[name], fields, strict=True)]
    return keccak256(keccak256(type_of(structs, name).encode()) + b"".join(words))


def run(inputs):
    text = inputs.one("type")
    structs = structs_of(text)
    primary = text[: text.index("(")]
    struct = hash_struct(structs, primary, [inputs.all(name) for _, name in structs[primary]])
    domain = keccak256(
        keccak256(DOMAIN)
        + keccak256(b"Twinlock")
        + keccak256(b"1")
        + word(inputs.number("domainChainId"))
        + word(inputs.bytes("verifyingContract"))
    )
    return [("structHash", struct.hex()), ("digest", keccak256(b"\x19\x01" + domain + struct).hex())]
