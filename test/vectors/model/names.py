"""Names of protocol section 1, and the binding of section 7."""

from hashes import keccak256, tagged
from vector import Refused


def format_handle(digest, index, chain_id, fhe_type):
    if fhe_type > 8:
        raise Refused("UNKNOWN_FHE_TYPE")
    if index > 255:
        raise Refused("HANDLE_INDEX")
    return digest[:21] + bytes([index]) + chain_id.to_bytes(8, "big") + bytes([fhe_type, 1])


def key_id(i):
    return tagged(
        "twinlock/key/v1",
        i.bytes("genesisHash"),
        i.number("chainId"),
        i.bytes("keyRegistry"),
        i.number("ceremonyNonce"),
        i.number("hostChainId"),
        i.bytes("coprocessor"),
        i.bytes("gateway"),
    )


def input_handle(i):
    digest = tagged(
        "twinlock/input-handle/v1",
        i.bytes("listDigest"),
        i.number("index"),
        i.bytes("contract"),
        i.bytes("user"),
        i.bytes("coprocessor"),
        i.number("chainId"),
        i.bytes("keyId"),
    )
    return format_handle(digest, i.number("index"), i.number("chainId"), i.number("fheType"))


def commitment_leaf(i):
    return tagged(
        "twinlock/commitment/v1",
        i.number("chainId"),
        i.bytes("coprocessor"),
        i.bytes("handle"),
        i.bytes("operationDigest"),
        i.bytes("inputsDigest"),
        i.bytes("ciphertextDigest"),
        i.bytes("squashedDigest"),
        i.number("fheType"),
        i.number("blockCount"),
    )


def handle(i):
    return format_handle(i.bytes("hash"), i.number("index"), i.number("chainId"), i.number("fheType"))


def read_handle(i):
    data = i.bytes("handle")
    if data[31] != 1:
        raise Refused("HANDLE_VERSION")
    return data[:21]


def user_subject(i):
    handles = keccak256(b"".join(bytes.fromhex(text) for text in i.all("handle")))
    return tagged("twinlock/user-subject/v1", i.bytes("permitHash"), handles)


def fresh_quote_binding(i):
    return tagged(
        "twinlock/fresh-quote/v1",
        i.number("chainId"),
        i.bytes("verifier"),
        i.bytes("keyId"),
        i.number("epoch"),
        i.number("party"),
        i.bytes("root"),
        i.number("leaves"),
    )


DERIVATIONS = {
    "keyId": key_id,
    "inputHandle": input_handle,
    "commitmentLeaf": commitment_leaf,
    "handle": handle,
    "readHandle": read_handle,
    "userSubject": user_subject,
    "freshQuoteBinding": fresh_quote_binding,
}


def run(inputs):
    return [("result", DERIVATIONS[inputs.one("derive")](inputs).hex())]
