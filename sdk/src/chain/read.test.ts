import { describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../../test/support/codeOf.ts"
import {
  type FakeAnswers,
  type FakeEvent,
  fakeDeployment,
  fakeEndpoint,
} from "../../../test/support/fakeChain.ts"
import { tagHash } from "../protocol/codec.ts"
import { commitmentLeaf } from "../protocol/commitment.ts"
import { formatHandle } from "../protocol/handles.ts"
import { parseAddress, parseEpoch, parseKeyId, parseRequestId } from "../protocol/ids.ts"
import type { Chain } from "./contracts.ts"
import { handleDomainOf } from "./deployments.ts"
import { createEndpoints } from "./endpoints.ts"
import {
  readActiveKey,
  readCommitment,
  readCommittee,
  readEpochHeader,
  readExecutors,
  readExpiry,
  readKey,
  readPermitFloor,
  readRequest,
  readSeats,
} from "./read.ts"
import { readLiveUntil } from "./readNodes.ts"

const keyId = parseKeyId(tagHash("key"))
const epoch = parseEpoch(1)
const address = (digit: string) => parseAddress(`0x${digit.repeat(40)}`)
const zero = `0x${"00".repeat(32)}`
const host = [31337n, fakeDeployment.coprocessor, fakeDeployment.decryptionGateway] as const
const digests = ["params", "pk", "sk", "crs", "transcript"].map(tagHash)
const at = { number: 90n, hash: tagHash("main 90"), timestamp: 1_000_000n }

function chainOf(answers: FakeAnswers, events: readonly FakeEvent[] = []): Chain {
  const endpoints = [1, 2].map(() => fakeEndpoint({ answers, events }))
  return { deployment: fakeDeployment, endpoints: createEndpoints(endpoints, 31337n, () => 1_000_000n) }
}
const keyAnswers = (status: number): FakeAnswers => ({
  "keyRegistry.keyOfHost": () => [keyId],
  "keyRegistry.keyOf": () => [[status, 1, 0, 4, host, ...digests]],
})

describe("keys", () => {
  test("the active key of the coprocessor", async () => {
    expect(await readActiveKey(chainOf(keyAnswers(2)), at)).toEqual({
      keyId,
      status: "active",
      epoch: 1,
      ceremonyNonce: 4n,
      host: {
        chainId: 31337n,
        coprocessor: fakeDeployment.coprocessor,
        gateway: fakeDeployment.decryptionGateway,
      },
      parametersHash: tagHash("params"),
      publicKeyDigest: tagHash("pk"),
      serverKeyDigest: tagHash("sk"),
      crsDigest: tagHash("crs"),
      transcriptDigest: tagHash("transcript"),
    })
  })

  test("proposed, discarded and unknown keys are not active", async () => {
    expect(await rejectionCodeOf(() => readActiveKey(chainOf(keyAnswers(1)), at))).toBe("KEY_NOT_ACTIVE")
    expect(await rejectionCodeOf(() => readActiveKey(chainOf(keyAnswers(3)), at))).toBe("KEY_NOT_ACTIVE")
    expect(await rejectionCodeOf(() => readKey(chainOf(keyAnswers(0)), keyId, at))).toBe("KEY_UNKNOWN")
    const none = chainOf({ "keyRegistry.keyOfHost": () => [zero] })
    expect(await rejectionCodeOf(() => readActiveKey(none, at))).toBe("KEY_UNKNOWN")
  })

  test("committee, executors, header and standing", async () => {
    const parties = ["a", "b", "c", "d"].map(address)
    const chain = chainOf({
      "keyRegistry.committeeOf": () => [[4, 1, parties]],
      "keyRegistry.executorsOf": () => [[address("e"), address("f")], 2],
      "decryptionVerifier.headerOf": () => [[5n, 27, 4, 3, fakeDeployment.decryptionGateway]],
      "decryptionVerifier.seatsOf": () => [parties],
      "decryptionVerifier.expiryOf": (...args) => [Number(args[2]) * 10],
      "nodeRegistry.liveUntil": () => [123],
      "coprocessor.permitFloor": () => [3n, 44n],
    })
    expect(await readCommittee(chain, keyId, epoch, at)).toEqual({ keyId, epoch, n: 4, t: 1, parties })
    expect(await readExecutors(chain, keyId, at)).toEqual({ members: [address("e"), address("f")], k: 2 })
    expect(await readEpochHeader(chain, keyId, epoch, at)).toEqual({
      groupKey: { groupX: 5n, groupV: 27 },
      n: 4,
      quorum: 3,
      gateway: fakeDeployment.decryptionGateway,
    })
    expect(await readSeats(chain, keyId, epoch, at)).toEqual(parties)
    expect(await readExpiry(chain, keyId, epoch, 3, at)).toBe(30n)
    expect(await readLiveUntil(chain, address("a"), at)).toBe(123n)
    expect(await readPermitFloor(chain, address("a"), at)).toEqual({ nonce: 3n, invalidBefore: 44n })
  })

  test("an unknown epoch is an error", async () => {
    const chain = chainOf({
      "keyRegistry.committeeOf": () => [[0, 0, []]],
      "decryptionVerifier.headerOf": () => [[0n, 0, 0, 0, address("0")]],
    })
    expect(await rejectionCodeOf(() => readCommittee(chain, keyId, epoch, at))).toBe("EPOCH_UNKNOWN")
    expect(await rejectionCodeOf(() => readEpochHeader(chain, keyId, epoch, at))).toBe("EPOCH_UNKNOWN")
  })
})

describe("commitments", () => {
  const handle = formatHandle({ hash: tagHash("op"), index: 255, chainId: 31337n, fheType: 3 })
  const commitment = {
    handle,
    operationDigest: tagHash("op"),
    inputsDigest: tagHash("in"),
    ciphertextDigest: tagHash("ct"),
    squashedDigest: tagHash("sq"),
    fheType: 3,
    blockCount: 4,
  } as const
  const leaf = commitmentLeaf(handleDomainOf(fakeDeployment), commitment)
  const event = (
    fields: Omit<typeof commitment, "squashedDigest"> & { readonly squashedDigest: string },
  ): FakeEvent => ({
    contract: "ciphertextCommitments",
    name: "CommitmentVoted",
    values: [handle, leaf, address("e"), Object.values(fields)],
  })
  const final = (frozen: boolean): FakeAnswers => ({ "ciphertextCommitments.finalOf": () => [leaf, frozen] })

  test("are read from the event that hashes to the final leaf", async () => {
    const forged = event({ ...commitment, squashedDigest: tagHash("forged") })
    expect(await readCommitment(chainOf(final(false), [forged, event(commitment)]), handle, at)).toEqual(
      commitment,
    )
    expect(await rejectionCodeOf(() => readCommitment(chainOf(final(false), [forged]), handle, at))).toBe(
      "COMMITMENT_MISSING",
    )
  })

  test("that are frozen or not final are refused", async () => {
    expect(
      await rejectionCodeOf(() => readCommitment(chainOf(final(true), [event(commitment)]), handle, at)),
    ).toBe("COMMITMENT_FROZEN")
    const pending = chainOf({ "ciphertextCommitments.finalOf": () => [zero, false] }, [event(commitment)])
    expect(await rejectionCodeOf(() => readCommitment(pending, handle, at))).toBe("COMMITMENT_MISSING")
  })
})

test.each([
  [0, "none"],
  [1, "pending"],
  [3, "fulfilled"],
  [6, "fulfilledLate"],
] as const)("request status %i is %s", async (code, name) => {
  const request = [address("a"), 0, code, "0x00000000", 0, 0, 0, 2, 3, true, tagHash("handles")]
  const chain = chainOf({ "decryptionGateway.requestOf": () => [request] })
  expect(await readRequest(chain, parseRequestId(tagHash("r")), at)).toEqual({
    status: name,
    policy: { endorsements: 2, freshQuotes: 3, groupOnly: true },
    handlesHash: tagHash("handles"),
  })
})
