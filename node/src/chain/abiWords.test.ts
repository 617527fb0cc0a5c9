/** Against ethers, which reads and writes every form. */
import { Interface, type InterfaceAbi } from "ethers"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { eventDecoder, type Fields, resultDecoder } from "./abiWords.ts"
import {
  ciphertextCommitmentsInterface,
  coprocessorInterface,
  decryptionGatewayInterface,
  keyRegistryInterface,
  nodeRegistryInterface,
} from "./contracts.ts"

const STRUCT =
  "(address a, uint8 b, uint40 c, uint96 d, uint256 e, bool f, bytes4 g, bytes16 h, bytes32 i, uint32 j)"
const abi: Interface = new Interface([
  `function record() view returns (${STRUCT} s)`,
  "function values() view returns (bytes32 leaf, bool frozen)",
  "function single() view returns (uint32)",
  "function list() view returns (uint8 a, bytes32[] b, bool c, bytes32[] d)",
  "function text() view returns (string)",
  "function twice() view returns (uint8 a, uint8 a)",
  "event Made(bytes32 indexed id, address indexed by, bytes32[] handles, bytes4 callback, uint256 fee)",
  "event Voted(bytes32 indexed handle, bytes32 indexed leaf, (bytes32 handle, uint8 kind) commitment)",
] satisfies InterfaceAbi)

const bytes = (length: number) =>
  fc
    .uint8Array({ minLength: length, maxLength: length })
    .map((array) => `0x${Buffer.from(array).toString("hex")}`)
const uint = (bits: number) =>
  fc.oneof(
    fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n }),
    fc.constant(0n),
    fc.constant((1n << BigInt(bits)) - 1n),
  )
const struct = fc.tuple(
  ...([
    bytes(20),
    uint(8),
    uint(40),
    uint(96),
    uint(256),
    fc.boolean(),
    bytes(4),
    bytes(16),
    bytes(32),
    uint(32),
  ] as const),
)
const words = fc.array(bytes(32), { maxLength: 5 })

const named = (values: readonly unknown[], names = "abcdefghij"): Fields =>
  Object.fromEntries(values.map((value, i) => [names[i] as string, value])) as Fields

describe("results", () => {
  test("a struct", () => {
    const decode = resultDecoder(abi, "record")
    fc.assert(
      fc.property(struct, (values) => {
        expect(decode(abi.encodeFunctionResult("record", [values]))).toEqual(named(values))
      }),
    )
  })

  test("several values, and one without a name", () => {
    const leaf = `0x${"ab".repeat(32)}`
    expect(resultDecoder(abi, "values")(abi.encodeFunctionResult("values", [leaf, true]))).toEqual({
      leaf,
      frozen: true,
    })
    const single = resultDecoder(abi, "single")(abi.encodeFunctionResult("single", [7]))
    expect(Object.values(single)).toEqual([7n])
  })

  test("lists", () => {
    const decode = resultDecoder(abi, "list")
    fc.assert(
      fc.property(uint(8), words, fc.boolean(), words, (a, b, c, d) => {
        expect(decode(abi.encodeFunctionResult("list", [a, b, c, d]))).toEqual({ a, b, c, d })
      }),
    )
  })

  test("whatever is taken is the canonical form of what was read", () => {
    const decode = resultDecoder(abi, "list")
    fc.assert(
      fc.property(
        fc.record({ b: words, d: words, at: fc.nat(), by: fc.integer({ min: 1, max: 15 }) }),
        ({ b, d, at, by }) => {
          const data = abi.encodeFunctionResult("list", [200, b, true, d])
          const place = 2 + (at % (data.length - 2))
          const digit = (Number.parseInt(data[place] ?? "0", 16) ^ by).toString(16)
          const changed = data.slice(0, place) + digit + data.slice(place + 1)
          let fields: Fields
          try {
            fields = decode(changed)
          } catch {
            return
          }
          const { a, b: first, c, d: second } = fields
          expect(abi.encodeFunctionResult("list", [a, first, c, second])).toBe(changed)
        },
      ),
      { numRuns: 200 },
    )
  })

  const good = abi.encodeFunctionResult("values", [`0x${"ab".repeat(32)}`, true])
  test.each<[string, string, string]>([
    ["nothing", "values", "0x"],
    ["a word too few", "values", good.slice(0, -64)],
    ["a word too many", "values", `${good}${"00".repeat(32)}`],
    ["half a byte", "values", good.slice(0, -1)],
    ["no hex", "values", `${good.slice(0, -1)}g`],
    ["upper case", "values", `${good.slice(0, 2)}AB${good.slice(4)}`],
    ["a bool of 2", "values", `${good.slice(0, -1)}2`],
    ["a bool of 0x10…1", "values", `${good.slice(0, 66)}1${good.slice(67)}`],
    ["a uint32 of 33 bits", "single", `0x${(1n << 32n).toString(16).padStart(64, "0")}`],
    [
      "a list beyond the end",
      "list",
      `0x${[0, 0x80, 0, 0xa0, 9, 0].map((n) => n.toString(16).padStart(64, "0")).join("")}`,
    ],
    [
      "a huge list",
      "list",
      `0x${[0n, 0x80n, 0n, 0xa0n, (1n << 64n) - 1n, 0n].map((n) => n.toString(16).padStart(64, "0")).join("")}`,
    ],
  ])("refused: %s", (_name, method, data) => {
    expect(() => resultDecoder(abi, method)(data)).toThrow("CHAIN_MALFORMED")
  })

  test.each([
    ["text", "no plain word"],
    ["twice", "same name"],
    ["missing", "no function"],
  ])("no decoder for %s", (method, reason) => {
    expect(() => resultDecoder(abi, method)).toThrow(reason)
  })
})

describe("events", () => {
  test("indexed and other parameters", () => {
    const { topic, decode } = eventDecoder(abi, "Made")
    expect(topic).toBe(abi.getEvent("Made")?.topicHash)
    fc.assert(
      fc.property(bytes(32), bytes(20), words, bytes(4), uint(256), (id, by, handles, callback, fee) => {
        const log = abi.encodeEventLog("Made", [id, by, handles, callback, fee])
        expect(decode(log)).toEqual({ id, by, handles, callback, fee })
      }),
    )
  })

  test("a struct that repeats an indexed parameter repeats its value", () => {
    const { decode } = eventDecoder(abi, "Voted")
    const [handle, leaf] = [`0x${"01".repeat(32)}`, `0x${"02".repeat(32)}`]
    expect(decode(abi.encodeEventLog("Voted", [handle, leaf, [handle, 3]]))).toEqual({
      handle,
      leaf,
      kind: 3n,
    })
    expect(() => decode(abi.encodeEventLog("Voted", [handle, leaf, [leaf, 3]]))).toThrow("CHAIN_MALFORMED")
  })

  test.each<[string, (topics: string[]) => string[]]>([
    ["another event", ([, ...rest]) => [`0x${"00".repeat(32)}`, ...rest]],
    ["a topic too few", (topics) => topics.slice(0, -1)],
    ["a topic too many", (topics) => [...topics, `0x${"00".repeat(32)}`]],
    ["a short topic", ([first, id, by]) => [String(first), String(id), String(by).slice(0, -2)]],
    [
      "an address of 21 bytes",
      ([first, id, by]) => [String(first), String(id), `0x01${String(by).slice(4)}`],
    ],
  ])("refused: %s", (_name, change) => {
    const { topics, data } = abi.encodeEventLog("Made", [
      ...[`0x${"01".repeat(32)}`, `0x${"02".repeat(20)}`, [], "0x00000000", 0],
    ])
    expect(() => eventDecoder(abi, "Made").decode({ topics: change(topics), data })).toThrow(
      "CHAIN_MALFORMED",
    )
  })
})

test("everything that is read this way in the contracts' interfaces has a decoder", () => {
  for (const [of, methods] of [
    [decryptionGatewayInterface, ["requestOf", "cancelWindow"]],
    [ciphertextCommitmentsInterface, ["finalOf"]],
    [coprocessorInterface, ["isAllowedForDecryption"]],
    [keyRegistryInterface, ["keyOfHost"]],
    [nodeRegistryInterface, ["nodeOf", "liveUntil"]],
  ] as const)
    for (const method of methods) expect(() => resultDecoder(of, method)).not.toThrow()
  expect(() => eventDecoder(decryptionGatewayInterface, "DecryptionRequested")).not.toThrow()
  expect(() => eventDecoder(ciphertextCommitmentsInterface, "CommitmentVoted")).not.toThrow()
})
