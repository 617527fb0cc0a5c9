"""Trees of result batches, protocol section 6, built by recursion."""

from hashes import keccak256
from vector import Refused

PADDING = keccak256(b"\x02")


def leaf(content):
    return keccak256(b"\x00" + content)


def depth(leaves):
    return (leaves - 1).bit_length()


def root(nodes):
    if len(nodes) == 1:
        return nodes[0]
    half = len(nodes) // 2
    return keccak256(b"\x01" + root(nodes[:half]) + root(nodes[half:]))


def path(nodes, index):
    if len(nodes) == 1:
        return []
    half = len(nodes) // 2
    left, right = nodes[:half], nodes[half:]
    if index < half:
        return path(left, index) + [root(right)]
    return path(right, index - half) + [root(left)]


def run(inputs):
    index = inputs.number("index")
    if inputs.one("operation") == "build":
        leaves = [leaf(bytes.fromhex(text)) for text in inputs.all("content")]
        if not 0 <= index < len(leaves):
            raise Refused("MERKLE_INDEX")
        padded = leaves + [PADDING] * (2 ** depth(len(leaves)) - len(leaves))
        return [("root", root(padded).hex())] + [("sibling", node.hex()) for node in path(padded, index)]
    leaves, siblings = inputs.number("leaves"), [bytes.fromhex(text) for text in inputs.all("sibling")]
    if leaves < 1 or index >= leaves or len(siblings) != depth(leaves):
        raise Refused("MERKLE_PLACE")
    node = inputs.bytes("leaf")
    for sibling in siblings:
        node = keccak256(b"\x01" + (sibling + node if index % 2 else node + sibling))
        index //= 2
    return [("root", node.hex())]
