import { concat, keccak256 } from "ethers"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import { tagHash } from "../protocol/codec.ts"
import { depthOf, leafHash, merkleTree, nodeHash, pathIn, rootOf, verifyPath } from "./merkle.ts"

const leaves = (count: number) => Array.from({ length: count }, (_, i) => leafHash(tagHash(`result ${i}`)))

describe("tree", () => {
  test("one leaf is its own root", () => {
    const [leaf] = leaves(1)
    expect(rootOf(leaves(1))).toBe(leaf)
    expect(pathIn(merkleTree(leaves(1)), 0)).toEqual([])
    expect(leaf).toBe(keccak256(concat(["0x00", tagHash("result 0")])))
  })

  test("three leaves are padded with keccak(0x02)", () => {
    const [a, b, c] = leaves(3)
    if (a === undefined || b === undefined || c === undefined) throw new Error("no leaf")
    const node = (l: string, r: string) => keccak256(concat(["0x01", l, r]))
    expect(rootOf([a, b, c])).toBe(node(node(a, b), node(c, keccak256("0x02"))))
    expect(nodeHash(a, b)).toBe(node(a, b))
  })

  test.each([
    [1, 0],
    [2, 1],
    [3, 2],
    [4, 2],
    [5, 3],
    [2 ** 29 + 1, 30],
    [2 ** 30, 30],
  ])("%i leaves have depth %i", (count, depth) => {
    expect(depthOf(count)).toBe(depth)
  })

  test("every path verifies, at its own index only", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(), fc.nat(), (count, i, j) => {
        const all = leaves(count)
        const [index, other] = [i % count, j % count]
        const leaf = all[index] ?? tagHash("none")
        const tree = merkleTree(all)
        const proof = { leaf, index, leaves: count, path: pathIn(tree, index), root: tree.root }
        expect(verifyPath(proof)).toBe(true)
        if (other !== index) expect(verifyPath({ ...proof, index: other })).toBe(false)
      }),
    )
  })

  test("altered proofs are refused", () => {
    const all = leaves(5)
    const proof = {
      leaf: all[2] ?? tagHash("none"),
      index: 2,
      leaves: 5,
      path: pathIn(merkleTree(all), 2),
      root: rootOf(all),
    }
    const refused = [
      { ...proof, leaf: tagHash("other") },
      { ...proof, root: tagHash("other") },
      { ...proof, path: proof.path.slice(1) },
      { ...proof, path: [...proof.path, tagHash("more")] },
      { ...proof, path: proof.path.toReversed() },
      { ...proof, leaves: 4 },
      { ...proof, leaves: 9 },
      { ...proof, leaves: 0 },
      { ...proof, leaves: 1.5 },
      { ...proof, index: 5 },
      { ...proof, index: -1 },
      { ...proof, index: 10 },
    ]
    for (const bad of refused) expect(verifyPath(bad)).toBe(false)
  })

  test("an inner node is no leaf", () => {
    const all = leaves(2)
    expect(verifyPath({ leaf: rootOf(all), index: 0, leaves: 2, path: [], root: rootOf(all) })).toBe(false)
  })

  test("empty trees and positions outside are refused", () => {
    expect(codeOf(() => rootOf([]))).toBe("MERKLE_SIZE")
    expect(codeOf(() => depthOf(2 ** 30 + 1))).toBe("MERKLE_SIZE")
    expect(codeOf(() => pathIn(merkleTree(leaves(3)), 3))).toBe("MERKLE_INDEX")
  })
})
