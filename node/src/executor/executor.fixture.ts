/** What the tests of an executor share. */
import { keccak, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import type { FheType } from "@twinlock/sdk/protocol/fheType"
import { formatHandle } from "@twinlock/sdk/protocol/handles"
import {
  type Address,
  type Digest,
  type Handle,
  type KeyId,
  parseAddress,
  parseKeyId,
} from "@twinlock/sdk/protocol/ids"
import { seededRng } from "../../../test/support/seededRng.ts"
import { temporaryFolder } from "../../../test/support/temporaryFolder.ts"
import type { Commitment } from "../chain/chainView.ts"
import type { CoprocessorEvent } from "../chain/coprocessorEvents.ts"
import { createManualClock } from "../clock.ts"
import { Secret } from "../secret.ts"
import { silentLogger } from "../telemetry/logger.ts"
import { createCiphertextStore } from "./ciphertextStore.ts"
import type { ComputeRequest, Computer } from "./computer.ts"
import { createFollower } from "./follower.ts"
import { createInputs, type ServedKey } from "./inputs.ts"

export const alice: Address = parseAddress(`0x${"a1".repeat(20)}`)
export const bob: Address = parseAddress(`0x${"b0".repeat(20)}`)
export const vote: Address = parseAddress(`0x${"07".repeat(20)}`)
export const keyId: KeyId = parseKeyId(`0x${"11".repeat(32)}`)
export const domain = { chainId: 31_337n, coprocessor: parseAddress(`0x${"c0".repeat(20)}`) }
export const signing = { chainId: 31_337n, verifyingContract: parseAddress(`0x${"dd".repeat(20)}`) }
export const zeroWord = `0x${"00".repeat(32)}` as const
export const handleOf = (digest: Digest, fheType: FheType, index = 255): Handle =>
  formatHandle({ hash: digest, index, chainId: 31_337n, fheType })
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

/** Ciphertexts are texts: "add(a,b)"; a list "alice:x,y" is proven for alice. */
export const honestComputer: Computer = {
  compute: async ({ operator, operands, scalar }: ComputeRequest) =>
    utf8ToBytes(`${operator}(${[...operands.map(text), ...(scalar ? [String(scalar[31])] : [])].join(",")})`),
  squash: async (ciphertext) => utf8ToBytes(`squashed ${text(ciphertext)}`),
  expandInputs: async (list, _, metadata) => {
    const [who, values = ""] = text(list).split(":")
    const expected = who === "alice" ? alice : bob
    if (!Buffer.from(metadata).toString("hex").includes(expected.slice(2)))
      throw new Error("the proof was not valid")
    return values.split(",").map((value) => ({ fheType: 3 as const, ciphertext: utf8ToBytes(value) }))
  },
}
const key: ServedKey = {
  keyId,
  domain,
  signing,
  crsDigest: keccak(new Uint8Array()),
  files: { publicKey: new Uint8Array(), crs: new Uint8Array() },
}

export type Log = readonly (readonly [bigint, CoprocessorEvent])[]
type Change = {
  readonly computer?: Partial<Computer>
  /** Throws where the contract refuses these votes. */
  readonly judge?: (commitments: readonly Commitment[]) => void
}

/** An executor over a scripted log of the coprocessor, an addon of texts and a contract that counts. */
export async function scene(log: Log = [], { computer: change = {}, judge = () => {} }: Change = {}) {
  const clock = createManualClock()
  const computer = { ...honestComputer, ...change }
  const committed = new Set<Handle>()
  const transactions: (readonly Handle[])[] = []
  const store = await createCiphertextStore(await temporaryFolder("twinlock-executor"))
  const blobs = new Map<Digest, Uint8Array>()
  const votes: Commitment[] = []
  let next = 0n
  const publish = async (digest: Digest, bytes: Uint8Array) => void blobs.set(digest, bytes)
  const inputs = createInputs({
    key,
    computer,
    store,
    signer: new Secret(seededRng("executor")(32)),
    publish,
  })
  const follower = createFollower({
    computer,
    store,
    inputs,
    sink: { put: publish },
    events: async (from, to) =>
      log
        .filter(([block]) => block >= from && block <= to)
        .map(([blockNumber, event]) => ({ blockNumber, event })),
    list: async (digest) => {
      const list = blobs.get(digest)
      if (list === undefined) throw new Error("nobody has it")
      return list
    },
    commit: async (commitments) => {
      judge(commitments)
      transactions.push(commitments.map(({ handle }) => handle))
      votes.push(...commitments)
    },
    committed: {
      has: async (handle) => committed.has(handle),
      add: async (handle) => void committed.add(handle),
    },
    clock,
    cursor: {
      load: async () => next,
      save: async (value) => {
        next = value
      },
    },
    logger: silentLogger,
  })
  const at = (number: bigint) => ({ number, hash: keccak(new Uint8Array([1])), timestamp: 0n })
  return { store, blobs, votes, transactions, inputs, follower, at, clock, cursor: () => next }
}
