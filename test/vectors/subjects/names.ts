/**
 * Names that both contracts and nodes derive (protocol §1): key ids, sessions, handles, commitment leaves, subjects,
 * and what fresh quotes bind (§7).
 */
import { commitmentLeaf } from "@twinlock/sdk/protocol/commitment"
import { parseFheType } from "@twinlock/sdk/protocol/fheType"
import { freshQuoteBinding } from "@twinlock/sdk/protocol/freshQuote"
import { formatHandle, handleFields, inputHandle } from "@twinlock/sdk/protocol/handles"
import { parseAddress, parseDigest, parseEpoch, parseHandle, parseKeyId } from "@twinlock/sdk/protocol/ids"
import { keyIdOf } from "@twinlock/sdk/protocol/keyId"
import { userSubject } from "@twinlock/sdk/protocol/subjects"
import { seededRng } from "../../support/seededRng.ts"
import type { Case, Subject } from "../subject.ts"
import { hex, type Inputs, type Lines } from "../vector.ts"

type Derivation = {
  readonly fields: Readonly<Record<string, number | string>>
  derive(inputs: Inputs): string
}

const digest = (i: Inputs, key: string) => parseDigest(`0x${i.one(key)}`)
const address = (i: Inputs, key: string) => parseAddress(`0x${i.one(key)}`)
const big = (i: Inputs, key: string) => BigInt(i.one(key))

/** Fields: a number is that many random bytes, a text stands as it is. */
const DERIVATIONS: Readonly<Record<string, Derivation>> = {
  keyId: {
    fields: {
      genesisHash: 32,
      chainId: "1",
      keyRegistry: 20,
      ceremonyNonce: "7",
      hostChainId: "31337",
      coprocessor: 20,
      gateway: 20,
    },
    derive: (i) =>
      keyIdOf({
        genesisHash: digest(i, "genesisHash"),
        chainId: big(i, "chainId"),
        keyRegistry: address(i, "keyRegistry"),
        ceremonyNonce: big(i, "ceremonyNonce"),
        host: {
          chainId: big(i, "hostChainId"),
          coprocessor: address(i, "coprocessor"),
          gateway: address(i, "gateway"),
        },
      }),
  },
  inputHandle: {
    fields: {
      keyId: 32,
      listDigest: 32,
      index: "2",
      contract: 20,
      user: 20,
      coprocessor: 20,
      chainId: "31337",
      fheType: "5",
    },
    derive: (i) =>
      inputHandle(
        { chainId: big(i, "chainId"), coprocessor: address(i, "coprocessor") },
        {
          keyId: parseKeyId(`0x${i.one("keyId")}`),
          listDigest: digest(i, "listDigest"),
          index: i.number("index"),
          contract: address(i, "contract"),
          user: address(i, "user"),
          fheType: parseFheType(i.number("fheType")),
        },
      ),
  },
  commitmentLeaf: {
    fields: {
      chainId: "31337",
      coprocessor: 20,
      handle: 32,
      operationDigest: 32,
      inputsDigest: 32,
      ciphertextDigest: 32,
      squashedDigest: 32,
      fheType: "5",
      blockCount: "16",
    },
    derive: (i) =>
      commitmentLeaf(
        { chainId: big(i, "chainId"), coprocessor: address(i, "coprocessor") },
        {
          handle: parseHandle(`0x${i.one("handle")}`),
          operationDigest: digest(i, "operationDigest"),
          inputsDigest: digest(i, "inputsDigest"),
          ciphertextDigest: digest(i, "ciphertextDigest"),
          squashedDigest: digest(i, "squashedDigest"),
          fheType: parseFheType(i.number("fheType")),
          blockCount: i.number("blockCount"),
        },
      ),
  },
  handle: {
    fields: { hash: 21, index: "255", chainId: "1099511627777", fheType: "3" },
    derive: (i) =>
      formatHandle({
        hash: `0x${i.one("hash")}`,
        index: i.number("index"),
        chainId: big(i, "chainId"),
        fheType: parseFheType(i.number("fheType")),
      }),
  },
  readHandle: {
    fields: { handle: 32 },
    derive: (i) => handleFields(parseHandle(`0x${i.one("handle")}`)).hash,
  },
  freshQuoteBinding: {
    fields: {
      chainId: "31337",
      verifier: 20,
      keyId: 32,
      epoch: "4294967295",
      party: "15",
      root: 32,
      leaves: "64",
    },
    derive: (i) =>
      freshQuoteBinding({
        chainId: big(i, "chainId"),
        verifier: address(i, "verifier"),
        keyId: parseKeyId(`0x${i.one("keyId")}`),
        epoch: parseEpoch(i.number("epoch")),
        party: i.number("party"),
        root: digest(i, "root"),
        leaves: i.number("leaves"),
      }),
  },
  userSubject: {
    fields: { permitHash: 32, handle: 32 },
    derive: (i) =>
      userSubject(
        digest(i, "permitHash"),
        i.all("handle").map((text) => parseHandle(`0x${text}`)),
      ),
  },
}

function random(kind: string, i: number, changes: Lines = []): Case {
  const rng = seededRng(`vectors/names/${kind}/${i}`)
  const drawn = Object.entries(DERIVATIONS[kind]?.fields ?? {}).map(
    ([name, value]) => [name, typeof value === "number" ? hex(rng(value)) : value] as const,
  )
  const inputs = drawn.map(
    ([key, value]) => changes.find(([name]) => name === key) ?? ([key, value] as const),
  )
  const name = `${kind}_${i}`.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  return { name, comment: "random fields", inputs: [["derive", kind], ...inputs] }
}

const named = (made: Case, name: string, comment: string): Case => ({ ...made, name, comment })

export const names: Subject = {
  name: "names",
  expects: ["success", "HANDLE_VERSION", "HANDLE_INDEX", "UNKNOWN_FHE_TYPE"],
  cases: () => [
    ...["keyId", "inputHandle", "commitmentLeaf", "handle", "userSubject", "freshQuoteBinding"].flatMap(
      (kind) => [random(kind, 1), random(kind, 2)],
    ),
    named(random("handle", 3, [["index", "256"]]), "handle_index_256", "the index is one byte"),
    named(random("handle", 4, [["fheType", "9"]]), "handle_unknown_type", "types are 0..8"),
    named(
      random("readHandle", 5, [["handle", `${"aa".repeat(30)}0302`]]),
      "handle_version_2",
      "only version 1 is known",
    ),
    named(
      random("readHandle", 6, [["handle", `${"aa".repeat(30)}0301`]]),
      "handle_read",
      "the first 21 bytes are the hash",
    ),
  ],
  run(inputs) {
    const derivation = DERIVATIONS[inputs.one("derive")]
    if (derivation === undefined) throw new Error(`unknown derivation ${inputs.one("derive")}`)
    const made = derivation.derive(inputs)
    return [["result", made.slice(2)]]
  },
}
