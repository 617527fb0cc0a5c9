"""Recomputes every vector of a folder: check.py FOLDER. Prints what differs; ends with the number of vectors that agree."""

import importlib
import pathlib
import sys

from vector import Refused, parse


def answer(module, inputs):
    try:
        return "success", module.run(inputs)
    except Refused as refused:
        blamed = " ".join(map(str, refused.culprits))
        return refused.code, [("culprits", blamed)] if blamed else []


def main(folder):
    agreed = differing = 0
    for path in sorted(pathlib.Path(folder).glob("*/*")):
        expect, inputs, outputs = parse(path.read_text())
        got = answer(importlib.import_module(path.parent.name), inputs)
        if got == (expect, outputs):
            agreed += 1
            continue
        differing += 1
        print(f"{path}: want {expect} {outputs}, the model says {got[0]} {got[1]}")
    print(agreed)
    return 1 if differing or not agreed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
