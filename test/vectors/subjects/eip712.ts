/** Typed data (protocol §1, §6): struct hash and signed digest of every type. */
import {
  hashApproval,
  hashDecryptionResult,
  hashDiscard,
  hashEndorsedBatch,
  hashInputAttestation,
  hashKeyActivation,
  hashRegistration,
  hashResultBatch,
  hashUserDecryptionPermit,
  TYPE_STRINGS,
  typedDigest,
} from "@twinlock/sdk/protocol/eip712"
import {
  type Digest,
  parseAddress,
  parseDigest,
  parseEpoch,
  parseHandle,
  parseKeyId,
  parseRequestId,
  parseSessionId,
} from "@twinlock/sdk/protocol/ids"
import { seededRng } from "../../support/seededRng.ts"
import type { Case, Subject } from "../subject.ts"
import { hex, type Inputs, type Lines, unhex } from "../vector.ts"

type TypeName = keyof typeof TYPE_STRINGS

const hashed: Readonly<Record<TypeName, (inputs: Inputs) => Digest>> = {
  resultBatch: (i) =>
    hashResultBatch({
      keyId: parseKeyId(`0x${i.one("keyId")}`),
      epoch: parseEpoch(i.number("epoch")),
      signers: BigInt(i.one("signers")),
      root: digest(i, "root"),
      leaves: i.number("leaves"),
    }),
  decryptionResult: (i) =>
    hashDecryptionResult({
      chainId: BigInt(i.one("chainId")),
      gateway: address(i, "gateway"),
      requestId: parseRequestId(`0x${i.one("requestId")}`),
      handles: i.all("handles").map((text) => parseHandle(`0x${text}`)),
      sessions: i.all("sessions").map((text) => parseSessionId(`0x${text}`)),
      plaintexts: i.bytes("plaintexts"),
    }),
  keyActivation: (i) =>
    hashKeyActivation({
      keyId: parseKeyId(`0x${i.one("keyId")}`),
      epoch: parseEpoch(i.number("epoch")),
      publicKeyDigest: digest(i, "publicKeyDigest"),
      serverKeyDigest: digest(i, "serverKeyDigest"),
      crsDigest: digest(i, "crsDigest"),
      transcriptDigest: digest(i, "transcriptDigest"),
      groupX: BigInt(i.one("groupX")),
      groupV: i.number("groupV"),
    }),
  endorsedBatch: (i) =>
    hashEndorsedBatch({
      keyId: parseKeyId(`0x${i.one("keyId")}`),
      epoch: parseEpoch(i.number("epoch")),
      root: digest(i, "root"),
      leaves: i.number("leaves"),
    }),
  discard: (i) => hashDiscard({ keyId: parseKeyId(`0x${i.one("keyId")}`) }),
  registration: (i) =>
    hashRegistration({
      operator: address(i, "operator"),
      role: i.number("role"),
      signer: address(i, "signer"),
      peerIdHash: digest(i, "peerIdHash"),
      configHash: digest(i, "configHash"),
      challengeBlock: BigInt(i.one("challengeBlock")),
    }),
  approval: (i) =>
    hashApproval({
      keyId: parseKeyId(`0x${i.one("keyId")}`),
      epoch: parseEpoch(i.number("epoch")),
      approved: i.all("approved").map((line) => {
        const [subject = "", sessions = ""] = line.split(" ")
        return {
          subject: parseDigest(`0x${subject}`),
          sessions: sessions.split(",").map((text) => parseSessionId(`0x${text}`)),
        }
      }),
      blockNumber: BigInt(i.one("blockNumber")),
      blockHash: digest(i, "blockHash"),
      verdict: i.number("verdict"),
      commitments: digest(i, "commitments"),
    }),
  userDecryptionPermit: (i) =>
    hashUserDecryptionPermit({
      user: address(i, "user"),
      transportKeyHash: digest(i, "transportKeyHash"),
      contracts: i.all("contracts").map((text) => parseAddress(`0x${text}`)),
      notBefore: BigInt(i.one("notBefore")),
      notAfter: BigInt(i.one("notAfter")),
      nonce: BigInt(i.one("nonce")),
      chainId: BigInt(i.one("chainId")),
      extra: i.bytes("extra"),
    }),
  inputAttestation: (i) =>
    hashInputAttestation({
      keyId: parseKeyId(`0x${i.one("keyId")}`),
      coprocessor: address(i, "coprocessor"),
      contractAddress: address(i, "contractAddress"),
      user: address(i, "user"),
      listDigest: digest(i, "listDigest"),
      handles: i.all("handles").map((text) => parseHandle(`0x${text}`)),
    }),
}

const digest = (inputs: Inputs, key: string): Digest => parseDigest(`0x${inputs.one(key)}`)
const address = (inputs: Inputs, key: string) => parseAddress(`0x${inputs.one(key)}`)

type Field = { readonly type: string; readonly name: string }

/** Fields of the struct `name` in a type string. */
const fieldsOf = (text: string, name: string): readonly Field[] =>
  (new RegExp(`\\b${name}\\(([^)]*)\\)`).exec(text)?.[1] ?? "").split(",").map((field) => {
    const [type = "", fieldName = ""] = field.split(" ")
    return { type, name: fieldName }
  })

/** Values of one field by its Solidity type; arrays get two items. A struct in an array is one value, as in README.md. */
function valuesOf(text: string, { type, name }: Field, label: string): readonly string[] {
  const rng = seededRng(`vectors/eip712/${label}/${name}`)
  if (type.endsWith("[]"))
    return [1, 2].flatMap((i) => valuesOf(text, { type: type.slice(0, -2), name }, `${label}/${i}`))
  if (text.includes(`)${type}(`))
    return [
      fieldsOf(text, type)
        .map((field) => valuesOf(text, field, `${label}/${name}`).join(","))
        .join(" "),
    ]
  // The contracts' enum has no other roles, and no chain has a longer id.
  if (name === "role") return [String(1 + ((rng(1)[0] ?? 0) % 2))]
  if (name === "chainId") return [BigInt(`0x${hex(rng(6))}`).toString()]
  if (type === "address") return [hex(rng(20))]
  if (type === "bytes32") return [hex(rng(32))]
  if (type === "bytes") return [hex(rng(64))]
  if (type === "uint256") return [BigInt(`0x${hex(rng(32))}`).toString()]
  const bytes = Number(type.slice("uint".length)) / 8
  return [(BigInt(`0x${hex(rng(Math.min(bytes, 6)))}`) + 1n).toString()]
}

function random(type: TypeName, i: number): Case {
  const text = TYPE_STRINGS[type]
  const values = fieldsOf(text, text.slice(0, text.indexOf("("))).flatMap((field) =>
    valuesOf(text, field, `${type}/${i}`).map((value) => [field.name, value] as const),
  )
  return caseOf(`${type}_${i}`, "random fields", type, values)
}

const caseOf = (name: string, comment: string, type: TypeName, values: Lines): Case => ({
  name: name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  comment,
  inputs: [
    ["type", TYPE_STRINGS[type]],
    ["domainChainId", "31337"],
    ["verifyingContract", hex(seededRng("vectors/eip712/verifier")(20))],
    ...values,
  ],
})

const batch = (epoch: string, leaves: string): Lines => [
  ["keyId", "11".repeat(32)],
  ["epoch", epoch],
  ["signers", "7"],
  ["root", "22".repeat(32)],
  ["leaves", leaves],
]

export const eip712: Subject = {
  name: "eip712",
  expects: ["success", "EIP712_RANGE"],
  cases: () => [
    ...(Object.keys(hashed) as TypeName[]).flatMap((type) => [random(type, 1), random(type, 2)]),
    caseOf("result_without_handles", "empty arrays and empty bytes", "decryptionResult", [
      ["chainId", "1"],
      ["gateway", "33".repeat(20)],
      ["requestId", "44".repeat(32)],
      ["plaintexts", ""],
    ]),
    caseOf("approval_of_subjects_unlike", "structs in an array with arrays of other lengths", "approval", [
      ["keyId", "55".repeat(32)],
      ["epoch", "1"],
      ["approved", `${"66".repeat(32)} ${"01".repeat(32)}`],
      ["approved", `${"77".repeat(32)} ${[2, 3, 4].map((i) => `0${i}`.repeat(32)).join(",")}`],
      ["blockNumber", "18446744073709551615"],
      ["blockHash", "88".repeat(32)],
      ["verdict", "1"],
      ["commitments", "99".repeat(32)],
    ]),
    caseOf("batch_of_the_most_leaves", "uint32 at its maximum", "resultBatch", batch("1", "4294967295")),
    caseOf(
      "batch_of_too_many_leaves",
      "2^32 does not fit in uint32",
      "resultBatch",
      batch("1", "4294967296"),
    ),
  ],
  run(inputs) {
    const [type] = Object.entries(TYPE_STRINGS).find(([, text]) => text === inputs.one("type")) ?? []
    const hash = hashed[type as TypeName](inputs)
    const domain = {
      chainId: BigInt(inputs.one("domainChainId")),
      verifyingContract: parseAddress(`0x${hex(unhex(inputs.one("verifyingContract")))}`),
    }
    return [
      ["structHash", hash.slice(2)],
      ["digest", typedDigest(domain, hash).slice(2)],
    ]
  },
}
