/** Trees of result batches (protocol §6). */
import { keccak } from "@twinlock/sdk/protocol/codec"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Digest, parseDigest } from "@twinlock/sdk/protocol/ids"
import { leafHash, merkleTree, nodeHash, pathIn, rootOfPath } from "@twinlock/sdk/threshold/merkle"
import { seededRng } from "../../support/seededRng.ts"
import type { Case, Subject } from "../subject.ts"
import type { Inputs, Lines } from "../vector.ts"

const bare = (digest: Digest): string => digest.slice(2)
const digest = (text: string): Digest => parseDigest(`0x${text}`)
const contentOf = (label: string): Digest => keccak(seededRng(`vectors/merkle/${label}`)(32))
const contents = (count: number): readonly Digest[] =>
  Array.from({ length: count }, (_, i) => contentOf(`${count}/${i}`))

const tree = (count: number, index: number): Case => ({
  name: `tree_of_${count}_leaf_${index}`,
  comment: "root over all contents, and the path of one",
  inputs: [
    ["operation", "build"],
    ["index", String(index)],
    ...contents(count).map((content) => ["content", bare(content)] as const),
  ],
})

type Place = {
  readonly leaf: Digest
  readonly index: number
  readonly leaves: number
  readonly path: readonly Digest[]
}
const walk = (name: string, comment: string, { leaf, index, leaves, path }: Place): Case => ({
  name,
  comment,
  inputs: [
    ["operation", "walk"],
    ["leaf", bare(leaf)],
    ["index", String(index)],
    ["leaves", String(leaves)],
    ...path.map((sibling) => ["sibling", bare(sibling)] as const),
  ],
})

function placed(count: number, index: number): Place {
  const leaves = contents(count).map(leafHash)
  return {
    leaf: leaves[index] ?? contentOf("none"),
    index,
    leaves: count,
    path: pathIn(merkleTree(leaves), index),
  }
}

function walks(): readonly Case[] {
  const third = placed(5, 2)
  const [sibling = contentOf("none"), ...above] = third.path
  return [
    walk("walk_of_5_leaf_2", "the path of a leaf leads to the root", third),
    walk("walk_of_inner_node", "an inner node in the place of a leaf has a path that is too short", {
      ...third,
      leaf: nodeHash(third.leaf, sibling),
      index: 1,
      path: above,
    }),
    walk("walk_as_smaller_tree", "a path of three siblings cannot be of four leaves", {
      ...third,
      leaves: 4,
    }),
    walk("walk_as_larger_tree", "nor of nine", { ...third, leaves: 9 }),
    walk("walk_of_padding", "index 5 of 5 leaves is padding", { ...third, index: 5 }),
    walk("walk_of_no_leaves", "no tree has no leaves", { ...third, leaves: 0 }),
    walk("walk_of_one_with_a_sibling", "a tree of one leaf has no siblings", {
      ...placed(1, 0),
      path: [sibling],
    }),
  ]
}

function build(inputs: Inputs): Lines {
  const built = merkleTree(inputs.all("content").map((text) => leafHash(digest(text))))
  return [
    ["root", bare(built.root)],
    ...pathIn(built, inputs.number("index")).map((node) => ["sibling", bare(node)] as const),
  ]
}

export const merkle: Subject = {
  name: "merkle",
  expects: ["success", "MERKLE_INDEX", "MERKLE_PLACE"],
  cases: () => [tree(1, 0), tree(2, 1), tree(3, 2), tree(5, 4), tree(64, 63), tree(5, 5), ...walks()],
  run(inputs) {
    if (inputs.one("operation") === "build") return build(inputs)
    const root = rootOfPath({
      leaf: digest(inputs.one("leaf")),
      index: inputs.number("index"),
      leaves: inputs.number("leaves"),
      path: inputs.all("sibling").map(digest),
    })
    if (root === null) throw new ProtocolError({ code: "MERKLE_PLACE", message: "no such place" })
    return [["root", bare(root)]]
  },
}
