/**
 * JSON as a tree that can be broken: members may repeat, numbers and strings keep a spelling of their own, so that
 * the writer emits what no serialiser would. Used for TCB info, QE identity, event logs and compose files.
 */
import type { Rng } from "./rng.ts"

export type JsonNode =
  | { readonly kind: "object"; readonly members: readonly (readonly [name: string, value: JsonNode])[] }
  | { readonly kind: "list"; readonly items: readonly JsonNode[] }
  /** Written as it stands: numbers, literals, quoted strings and whatever a mutation made of them. */
  | { readonly kind: "raw"; readonly text: string }

export function jsonTreeOf(value: unknown): JsonNode {
  if (Array.isArray(value)) return { kind: "list", items: value.map(jsonTreeOf) }
  if (typeof value === "object" && value !== null)
    return {
      kind: "object",
      members: Object.entries(value).map(([name, member]) => [name, jsonTreeOf(member)]),
    }
  return { kind: "raw", text: JSON.stringify(value) }
}

export function writeJson(node: JsonNode): string {
  if (node.kind === "raw") return node.text
  if (node.kind === "list") return `[${node.items.map(writeJson).join(",")}]`
  return `{${node.members.map(([name, value]) => `${name.startsWith('"') ? name : JSON.stringify(name)}:${writeJson(value)}`).join(",")}}`
}

const NUMBERS = [
  "0",
  "1",
  "2",
  "3",
  "4",
  "5",
  "10",
  "11",
  "16",
  "255",
  "256",
  "65535",
  "65536",
  "4294967295",
  "4294967296",
]
const ODD_NUMBERS = [
  "-1",
  "-0",
  "1.5",
  "1.0",
  "1e0",
  "1e400",
  "01",
  "9007199254740993",
  "NaN",
  "+1",
  "0x10",
  "1e-1",
  '"1"',
  "null",
  "true",
  "[]",
  "{}",
]
const STRINGS = [
  "",
  "UpToDate",
  "OutOfDate",
  "Revoked",
  "SWHardeningNeeded",
  "uptodate",
  "ConfigurationNeeded",
  "OutOfDateConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "Unknown",
  "TDX_01",
  "TDX_00",
  "TDX_03",
  "TDX_0a",
  "TDX",
  "SGX",
  "TD_QE",
  "QE",
  "2026-10-05T00:00:00Z",
  "2026-02-30T00:00:00Z",
  "2099-01-01T00:00:00Z",
  "2026-10-05T24:00:00Z",
  "2026-10-05T00:00:00+01:00",
  "1970-01-01T00:00:00Z",
  "00".repeat(48),
  "ff".repeat(8),
  "__proto__",
  "\u0000",
  "\ud800",
  "é",
  "system-ready",
  "app-id",
  "compose-hash",
  "key-provider",
]

const hexDigit = /[0-9a-fA-F]/

function mutateText(rng: Rng, text: string): string {
  const at = rng.below(text.length)
  const character = text[at] ?? ""
  switch (rng.below(7)) {
    case 0:
      return text.slice(0, at) + text.slice(at + 1)
    case 1:
      return text.slice(0, at) + character + text.slice(at)
    case 2:
      return (
        text.slice(0, at) +
        rng.pick(["0", "f", "F", "g", "x", " ", "é", "\ud83d", "\\", '"', "\u0000"]) +
        text.slice(at + 1)
      )
    case 3:
      return text.toUpperCase()
    case 4:
      return text.toLowerCase()
    case 5:
      return hexDigit.test(character)
        ? text.slice(0, at) + "0123456789abcdef"[rng.below(16)] + text.slice(at + 1)
        : text
    default:
      return rng.pick(STRINGS)
  }
}

/** The same string with one character as an escape. */
function escaped(rng: Rng, quoted: string): string {
  const at = 1 + rng.below(Math.max(1, quoted.length - 2))
  const code = quoted.charCodeAt(at).toString(16).padStart(4, "0")
  return `${quoted.slice(0, at)}\\u${code}${quoted.slice(at + 1)}`
}

function mutateRaw(rng: Rng, text: string): JsonNode {
  if (!text.startsWith('"')) {
    const value = Number(text)
    const near = String(value + rng.below(5) - 2)
    return { kind: "raw", text: rng.pick([near, near, rng.pick(NUMBERS), rng.pick(ODD_NUMBERS)]) }
  }
  if (rng.oneIn(8)) return { kind: "raw", text: escaped(rng, text) }
  if (rng.oneIn(12)) return { kind: "raw", text: rng.pick(ODD_NUMBERS) }
  return { kind: "raw", text: JSON.stringify(mutateText(rng, text.slice(1, -1))) }
}

type Member = readonly [name: string, value: JsonNode]

function mutateMembers(rng: Rng, members: readonly Member[]): readonly Member[] {
  const at = rng.below(members.length)
  const member = members[at]
  if (member === undefined) return [["added", { kind: "raw", text: "1" }]]
  const [name, value] = member
  const other = rng.pick(members)
  switch (rng.below(7)) {
    case 0:
      return members.toSpliced(at, 1)
    case 1:
      return [...members, [name, other[1]]]
    case 2:
      return members.toSpliced(at, 0, [name, mutateJson(rng, value)])
    case 3:
      return members.toSpliced(at, 1, [escaped(rng, JSON.stringify(name)), value])
    case 4:
      return members.toSpliced(at, 1, [
        rng.pick(["__proto__", "constructor", name.toUpperCase(), `${name} `]),
        value,
      ])
    case 5:
      return members.toReversed()
    default:
      return members.toSpliced(at, 1, [name, other[1]])
  }
}

function mutateItems(rng: Rng, items: readonly JsonNode[]): readonly JsonNode[] {
  const at = rng.below(items.length)
  const item = items[at]
  if (item === undefined) return [{ kind: "raw", text: "0" }]
  switch (rng.below(5)) {
    case 0:
      return items.toSpliced(at, 1)
    case 1:
      return items.toSpliced(at, 0, item)
    case 2:
      return items.toReversed()
    case 3:
      return Array.from({ length: 1 + rng.below(80) }, () => item)
    default:
      return items.toSpliced(at, 1, rng.pick(items))
  }
}

const sizeOf = (node: JsonNode): number =>
  node.kind === "raw"
    ? 1
    : 1 +
      (node.kind === "list" ? node.items : node.members.map(([, value]) => value)).reduce(
        (sum, child) => sum + sizeOf(child),
        0,
      )

/** `node` with one place changed, each with equal chance. */
export function mutateJson(rng: Rng, node: JsonNode): JsonNode {
  return mutateAt(rng, node, rng.below(sizeOf(node)))
}

function mutateAt(rng: Rng, node: JsonNode, index: number): JsonNode {
  if (node.kind === "raw") return mutateRaw(rng, node.text)
  if (index === 0)
    return node.kind === "list"
      ? { kind: "list", items: mutateItems(rng, node.items) }
      : { kind: "object", members: mutateMembers(rng, node.members) }
  let rest = index - 1
  const child = (value: JsonNode): JsonNode => {
    const mine = rest
    rest -= sizeOf(value)
    return mine >= 0 && rest < 0 ? mutateAt(rng, value, mine) : value
  }
  return node.kind === "list"
    ? { kind: "list", items: node.items.map(child) }
    : { kind: "object", members: node.members.map(([name, value]) => [name, child(value)]) }
}

/** The document's text after one to three changes of its tree, now and then of the text itself. */
export function mutateDocument(rng: Rng, root: JsonNode): string {
  let node = root
  for (let count = rng.oneIn(4) ? 1 + rng.below(3) : 1; count > 0; count--) node = mutateJson(rng, node)
  const text = writeJson(node)
  const at = rng.below(text.length)
  switch (rng.below(24)) {
    case 0:
      return `${rng.pick([" ", "\n", "\ufeff", "\u0000", ","])}${text}`
    case 1:
      return `${text}${rng.pick([" ", "\n", "\u0000", "}", "{}", ","])}`
    case 2:
      return text.slice(0, at)
    case 3:
      return `${text.slice(0, at)}${rng.pick([" ", "\t", "/**/", "\ud800", ",", ":", "["])}${text.slice(at)}`
    default:
      return text
  }
}
