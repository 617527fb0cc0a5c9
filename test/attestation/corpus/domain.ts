/** Checklist lines 9 and 10: the trust domain itself. */
import {
  type ConfigDocument,
  configIdOfDocument,
  encodeConfigDocument,
} from "@twinlock/sdk/attestation/configDocument"
import { concatBytes, fromHex, toHex, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import type { Hex } from "@twinlock/sdk/protocol/ids"
import { accepted, type Case, type Expected, refused } from "./case.ts"
import { COMPOSE_HASH, CONFIG_ID, type Scene, simulated } from "./scene.ts"

/** A field of `length` bytes that is zero but for one bit. */
const bit = (length: number, at: number): Hex => {
  const bytes = new Uint8Array(length)
  bytes[at >> 3] = 1 << (at & 7)
  return toHex(bytes)
}

const attributes = (...bits: readonly number[]): Hex => {
  const bytes = new Uint8Array(8)
  for (const at of bits) bytes[at >> 3] = (bytes[at >> 3] ?? 0) | (1 << (at & 7))
  return toHex(bytes)
}

const SEPT_VE_DISABLE = 28
const tdAttributes = (name: string, value: Hex, expected: Expected) =>
  simulated("9 attributes", name, { quote: { tdAttributes: value } }, expected)

const attributeCases: readonly Case[] = [
  tdAttributes("SEPT_VE_DISABLE alone", attributes(SEPT_VE_DISABLE), accepted()),
  ...[0].map((at) =>
    tdAttributes(
      `debugging, bit ${at}`,
      attributes(SEPT_VE_DISABLE, at),
      refused("TD_DEBUG", "TdAttributesNotAllowed"),
    ),
  ),
  ...[1, 7, 8, 27, 29, 32, 62].map((at) =>
    tdAttributes(
      `reserved bit ${at}`,
      attributes(SEPT_VE_DISABLE, at),
      refused("TD_RESERVED_ATTRIBUTES", "TdAttributesNotAllowed"),
    ),
  ),
  tdAttributes("nothing", attributes(), refused("TD_SEPT_VE", "TdAttributesNotAllowed")),
  ...[
    [30, "protection keys"],
    [31, "key locker"],
    [63, "performance monitoring"],
  ].map(([at, name]) =>
    tdAttributes(
      `${name}`,
      attributes(SEPT_VE_DISABLE, Number(at)),
      refused("POLICY_TD_ATTRIBUTES", "TdAttributesNotAllowed"),
    ),
  ),
]

const SEAM = [0, 127, 128, 383]
const seamCases: readonly Case[] = [
  simulated(
    "9 seam",
    "an Intel-signed module",
    { quote: { mrSignerSeam: "0x00", seamAttributes: "0x00" } },
    accepted(),
  ),
  simulated("9 seam", "any measurement of the module", { quote: { mrSeam: bit(48, 77) } }, accepted()),
  ...SEAM.map((at) =>
    simulated(
      "9 seam",
      `a module signer, bit ${at}`,
      { quote: { mrSignerSeam: bit(48, at) } },
      refused("MODULE_SIGNER", "SeamModuleNotIntel"),
    ),
  ),
  ...[0, 63].map((at) =>
    simulated(
      "9 seam",
      `module attribute ${at}`,
      { quote: { seamAttributes: bit(8, at) } },
      refused("MODULE_ATTRIBUTES", "SeamModuleNotIntel"),
    ),
  ),
  simulated(
    "9 seam",
    "a module signer on a module of version 0",
    { machine: { teeTcbSvn: "0x05000400000000000000000000000000" }, quote: { mrSignerSeam: bit(48, 0) } },
    refused("MODULE_SIGNER", "SeamModuleNotIntel"),
  ),
  simulated(
    "9 seam",
    "a module signer that TCB info names",
    {
      quote: { mrSignerSeam: bit(48, 0) },
      collateral: {
        modules: [
          { id: "TDX_01", mrSigner: bit(48, 0).slice(2), levels: [{ isvSvn: 1, status: "UpToDate" }] },
        ],
      },
    },
    refused("TCB_INFO_MALFORMED", "MalformedJson"),
  ),
  simulated(
    "9 seam",
    "a mask that lets attributes pass",
    {
      quote: { seamAttributes: bit(8, 0) },
      collateral: {
        modules: [
          { id: "TDX_01", attributesMask: "0".repeat(16), levels: [{ isvSvn: 1, status: "UpToDate" }] },
        ],
      },
    },
    refused("TCB_INFO_MALFORMED", "MalformedJson"),
  ),
]

const service: readonly Case[] = [
  simulated(
    "9 service",
    "none bound to a TD 1.5",
    { quote: { version: 5, mrServiceTd: "0x00" } },
    accepted(),
  ),
  ...[0, 127, 128, 255, 256, 383].map((at) =>
    simulated(
      "9 service",
      `a service domain, bit ${at}`,
      { quote: { version: 5, mrServiceTd: bit(48, at) } },
      refused("TD_SERVICE", "ServiceTdBound"),
    ),
  ),
]

const REAL_XFAMS: readonly Hex[] = [
  "0xe702060000000000",
  "0x0702000000000000",
  "0xe718060000000000",
  "0xe742060000000000",
  "0xe700060000000000",
]
const xfam = (name: string, value: Hex, expected: Expected) =>
  simulated("9 xfam", name, { quote: { xfam: value } }, expected)

const xfams: readonly Case[] = [
  ...REAL_XFAMS.map((value) => xfam(`as seen on real hosts, ${value}`, value, accepted())),
  xfam("x87 and SSE alone", "0x0300000000000000", accepted()),
  xfam("no x87", "0x0200000000000000", refused("POLICY_XFAM", "XfamNotAllowed")),
  xfam("no SSE", "0x0100000000000000", refused("POLICY_XFAM", "XfamNotAllowed")),
  ...[3, 4, 8, 10, 13, 15, 16, 19, 40, 63].map((at) => {
    const bytes = new Uint8Array(8)
    bytes[0] = 3
    bytes[at >> 3] = (bytes[at >> 3] ?? 0) | (1 << (at & 7))
    return xfam(`feature ${at}`, toHex(bytes), refused("POLICY_XFAM", "XfamNotAllowed"))
  }),
]

const owners: readonly Case[] = [
  simulated("10 owner", "no owner", {}, accepted()),
  ...(["mrOwner", "mrOwnerConfig"] as const).flatMap((field) =>
    [0, 383].map((at) =>
      simulated(
        "10 owner",
        `${field}, bit ${at}`,
        { quote: { measurements: { [field]: bit(48, at) } } },
        refused("POLICY_OWNER", "OwnerNotZero"),
      ),
    ),
  ),
]

const DOCUMENT: ConfigDocument = {
  appId: "0x1111111111111111111111111111111111111111",
  composeHash: COMPOSE_HASH,
  instanceId: "0x2222222222222222222222222222222222222222",
  keyProvider: "kms",
  keyProviderId: "0x3059301306072a8648ce3d020106082a8648ce3d030107",
}
const document = encodeConfigDocument(DOCUMENT)
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

const configId = (mrConfigId: Hex, configDocument?: Uint8Array): Scene => ({
  quote: { measurements: { mrConfigId } },
  ...(configDocument ? { configDocument } : {}),
})
/** A register that binds `text`, submitted with `text`. */
const bound = (text: string): Scene => configId(configIdOfDocument(utf8ToBytes(text)), utf8ToBytes(text))
const edited = (from: string, to: string): Scene => bound(textOf(document).replace(from, to))
const register = (version: number, content: Uint8Array, padding = new Uint8Array(15)) =>
  toHex(concatBytes(Uint8Array.of(version), content, padding))

const hash = fromHex(COMPOSE_HASH)
const lastByte = new Uint8Array(15).fill(1, 14)
const firstByte = new Uint8Array(15).fill(1, 0, 1)
const MISSING = (code: "CONFIG_ID_MISSING" | "CONFIG_ID_VERSION") => refused(code, "ComposeHashMissing")
const MALFORMED = refused("CONFIG_DOCUMENT_MALFORMED", "MalformedJson")

const configs: readonly (readonly [name: string, scene: Scene, expected: Expected])[] = [
  ["version 1", configId(CONFIG_ID), accepted()],
  ["nothing is bound", configId("0x00"), MISSING("CONFIG_ID_MISSING")],
  ["version 1 of a zero hash", configId(register(1, new Uint8Array(32))), MISSING("CONFIG_ID_MISSING")],
  [
    "version 1 with a byte after the hash",
    configId(register(1, hash, firstByte)),
    MISSING("CONFIG_ID_VERSION"),
  ],
  ["version 1 with a last byte", configId(register(1, hash, lastByte)), MISSING("CONFIG_ID_VERSION")],
  ["version 0 before a hash", configId(register(0, hash)), MISSING("CONFIG_ID_VERSION")],
  ["version 2", configId(register(2, hash)), MISSING("CONFIG_ID_VERSION")],
  ["version 4", configId(register(4, hash)), MISSING("CONFIG_ID_VERSION")],
  [
    "version 1 with a document",
    configId(CONFIG_ID, document),
    refused("CONFIG_DOCUMENT_MISMATCH", "WrongConfigDocument"),
  ],
  ["version 3 with its document", configId(configIdOfDocument(document), document), accepted()],
  [
    "version 3 with a local key provider",
    bound(textOf(encodeConfigDocument({ ...DOCUMENT, keyProvider: "local" }))),
    accepted(),
  ],
  [
    "version 3 with a TPM as key provider",
    bound(textOf(encodeConfigDocument({ ...DOCUMENT, keyProvider: "tpm" }))),
    accepted(),
  ],
  [
    "version 3 without a document",
    configId(configIdOfDocument(document)),
    refused("CONFIG_DOCUMENT_MISSING", "WrongConfigDocument"),
  ],
  [
    "version 3 with another document",
    configId(
      configIdOfDocument(document),
      encodeConfigDocument({ ...DOCUMENT, instanceId: "0x3333333333333333333333333333333333333333" }),
    ),
    refused("CONFIG_DOCUMENT_MISMATCH", "WrongConfigDocument"),
  ],
  [
    "version 3 with a last byte",
    configId(toHex(fromHex(configIdOfDocument(document)).fill(1, 47)), document),
    MISSING("CONFIG_ID_VERSION"),
  ],
  [
    "a document with a GPU policy",
    edited(',"instance_id"', `,"gpu_policy_hash":"${"11".repeat(32)}","instance_id"`),
    MALFORMED,
  ],
  [
    "a document with init scripts",
    edited(',"version"', `,"init_script_hashes":["${"11".repeat(32)}"],"version"`),
    MALFORMED,
  ],
  ["a document with a member that nobody knows", edited(',"version"', ',"note":"","version"'), MALFORMED],
  ["a document without its version", edited(',"version":3', ""), MALFORMED],
  ["a document of version 4", edited('"version":3', '"version":4'), MALFORMED],
  ["a document with white space", edited(",", ", "), MALFORMED],
  [
    "a document in upper case",
    bound(textOf(document).replace(COMPOSE_HASH.slice(2), COMPOSE_HASH.slice(2).toUpperCase())),
    MALFORMED,
  ],
  [
    "a document with two compose hashes",
    edited(',"instance_id"', `,"compose_hash":"${"11".repeat(32)}","instance_id"`),
    MALFORMED,
  ],
  [
    "a document with another key provider, which the event log must name",
    edited('"kms"', '"none"'),
    accepted(),
  ],
  ["a document with a short app id", edited("11", ""), accepted()],
  ["a document with half a byte of app id", edited("1", ""), MALFORMED],
  ["a document with a byte after it", bound(`${textOf(document)}\n`), MALFORMED],
  ["a document that is empty JSON", bound("{}"), MALFORMED],
]

export const domainCases: readonly Case[] = [
  ...attributeCases,
  ...seamCases,
  ...service,
  ...xfams,
  ...owners,
  ...configs.map(([name, scene, expected]) => simulated("10 config", name, scene, expected)),
]
