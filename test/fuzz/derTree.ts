/**
 * DER as a tree that can be broken: tags, lengths and nesting are free, so that the encoder writes what no correct
 * encoder would. The parser is tolerant and independent of the SDK's reader; oracles read documents with it.
 */
import { joined, mutateBytes } from "./byteMutation.ts"
import type { Rng } from "./rng.ts"

export type DerNode = {
  readonly tag: number
  /** Children of a constructed value, or of an OCTET or BIT STRING that holds DER; null for plain content. */
  readonly children: readonly DerNode[] | null
  readonly content: Uint8Array
  /** As parsed, with its header; mutations do not touch it and the encoder does not read it. */
  readonly raw?: Uint8Array
  /** Replaces the header that belongs to tag and length. */
  readonly header?: Uint8Array
}

/** The nodes of `bytes`, or null where they are no sequence of whole values. */
export function parseDer(bytes: Uint8Array, depth = 0): readonly DerNode[] | null {
  const nodes: DerNode[] = []
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] ?? 0
    const first = bytes[at + 1]
    if (first === undefined || first === 0x80 || first > 0x83) return null
    const size = first < 0x80 ? 0 : first - 0x80
    const length =
      size === 0 ? first : bytes.subarray(at + 2, at + 2 + size).reduce((sum, byte) => sum * 256 + byte, 0)
    const start = at + 2 + size
    if (start + length > bytes.length) return null
    const content = bytes.subarray(start, start + length)
    const children =
      depth < 20 && (tag & 0x20) !== 0 ? parseDer(content, depth + 1) : hidden(tag, content, depth)
    nodes.push({ tag, children, content, raw: bytes.subarray(at, start + length) })
    at = start + length
  }
  return nodes
}

/** Extensions carry DER inside an OCTET STRING. */
function hidden(tag: number, content: Uint8Array, depth: number): readonly DerNode[] | null {
  const inside = tag === 0x04 && content[0] === 0x30 && depth < 20 ? parseDer(content, depth + 1) : null
  return inside?.length === 1 ? inside : null
}

export function lengthOf(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length)
  if (length < 0x100) return Uint8Array.of(0x81, length)
  if (length < 0x10000) return Uint8Array.of(0x82, length >> 8, length & 0xff)
  return Uint8Array.of(0x83, length >> 16, (length >> 8) & 0xff, length & 0xff)
}

export function encodeDer(node: DerNode): Uint8Array {
  const content = node.children === null ? node.content : joined(...node.children.map(encodeDer))
  return joined(node.header ?? joined(Uint8Array.of(node.tag), lengthOf(content.length)), content)
}

const leaf = (tag: number, content: Uint8Array): DerNode => ({ tag, children: null, content })

const TAGS = [
  0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x0c, 0x13, 0x17, 0x18, 0x30, 0x31, 0x80, 0xa0, 0xa3, 0x1f, 0xbf,
]
const INTEGERS = [
  "",
  "00",
  "01",
  "7f",
  "80",
  "ff",
  "0080",
  "00ff",
  "0001",
  "0100",
  "00ffff",
  "7fffffffffff",
  "00ffffffffffffffff",
]

/** The value in a longer or a lying header. */
function badHeader(rng: Rng, node: DerNode): DerNode {
  const { length } = node.children === null ? node.content : joined(...node.children.map(encodeDer))
  const tag = Uint8Array.of(node.tag)
  const forms = [
    Uint8Array.of(0x81, length & 0xff),
    Uint8Array.of(0x82, length >> 8, length & 0xff),
    Uint8Array.of(0x83, 0, length >> 8, length & 0xff),
    Uint8Array.of(0x84, 0, 0, length >> 8, length & 0xff),
    Uint8Array.of(0x80),
    Uint8Array.of(0xff),
    lengthOf(length + 1),
    lengthOf(Math.max(0, length - 1)),
    lengthOf(0xffffff),
    Uint8Array.of(0x84, 0xff, 0xff, 0xff, 0xff),
  ]
  return { ...node, header: joined(tag, rng.pick(forms)) }
}

const TIMES = [
  "250101000000Z",
  "491231235959Z",
  "500101000000Z",
  "261005000000Z",
  "261006000000Z",
  "261007000000Z",
  "2610060000Z",
  "20261007000000Z",
  "260230000000Z",
  "261006240000Z",
]

/** Content that the node's own type would take. */
function typicalContent(rng: Rng, node: DerNode): Uint8Array {
  if (node.tag === 0x17 || node.tag === 0x18) return Buffer.from(rng.pick(TIMES), "latin1")
  if (node.tag === 0x01) return Uint8Array.of(rng.pick([0, 1, 0xff]))
  if (node.tag === 0x03) return Uint8Array.of(rng.below(9), 1 << rng.below(8))
  return Uint8Array.from(Buffer.from(rng.pick(INTEGERS), "hex"))
}

function mutateNode(rng: Rng, node: DerNode): readonly DerNode[] {
  switch (rng.below(10)) {
    case 0:
      return [{ ...node, tag: rng.pick(TAGS) }]
    case 1:
      return [badHeader(rng, node)]
    case 2:
      return []
    case 3:
      return [node, node]
    case 4:
      return [leafOf(0x30, node)]
    case 5:
      return node.children ?? [node]
    case 6:
      return [node, leaf(rng.pick(TAGS), rng.bytes(rng.below(6)))]
    case 7:
    case 8:
      return [leaf(node.tag, typicalContent(rng, node))]
    default:
      return [leaf(node.tag, mutateBytes(rng, encodedContent(node)))]
  }
}

const leafOf = (tag: number, child: DerNode): DerNode => ({ tag, children: [child], content: child.content })
const encodedContent = (node: DerNode): Uint8Array =>
  node.children === null ? node.content : joined(...node.children.map(encodeDer))

const sizeOf = (node: DerNode): number =>
  1 + (node.children ?? []).reduce((sum, child) => sum + sizeOf(child), 0)

function mutateAt(rng: Rng, node: DerNode, index: number): readonly DerNode[] {
  if (index === 0) return mutateNode(rng, node)
  const children: DerNode[] = []
  let rest = index - 1
  for (const child of node.children ?? []) {
    const size = sizeOf(child)
    if (rest >= 0 && rest < size) children.push(...mutateAt(rng, child, rest))
    else children.push(child)
    rest -= size
  }
  return [{ ...node, children: rng.oneIn(40) ? children.toReversed() : children }]
}

/** `root` with one to three of its nodes changed; the root itself stays one value. */
export function mutateDer(rng: Rng, root: DerNode): DerNode {
  let node = root
  for (let count = rng.oneIn(4) ? 1 + rng.below(3) : 1; count > 0; count--)
    node = mutateAt(rng, node, rng.below(sizeOf(node)))[0] ?? node
  return node
}
