"""Reads vectors; ../README.md defines the form."""


class Refused(Exception):
    """The model refuses the inputs, with the code that the vector should expect."""

    def __init__(self, code, culprits=()):
        super().__init__(code)
        self.code = code
        self.culprits = sorted(culprits)


class Inputs:
    def __init__(self, lines):
        self._lines = lines

    def all(self, key):
        return [value for name, value in self._lines if name == key]

    def one(self, key):
        (value,) = self.all(key)
        return value

    def number(self, key):
        return int(self.one(key))

    def bytes(self, key):
        return bytes.fromhex(self.one(key))

    def indexed(self, key):
        pairs = [value.split(" ") for value in self.all(key)]
        return [(int(pair[0]), bytes.fromhex(pair[1] if len(pair) > 1 else "")) for pair in pairs]


def parse(text):
    blocks = [[tuple(line.split(": ", 1)) for line in block.split("\n") if line] for block in text.split("\n\n")]
    head, inputs, outputs = (blocks + [[], []])[:3]
    return dict(head)["expect"], Inputs(inputs), outputs
