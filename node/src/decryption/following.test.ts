/** What a node follows of the requests on chain, and for how long. */
import { keccak } from "@twinlock/sdk/protocol/codec"
import { parseAddress, parseKeyId, type RequestId } from "@twinlock/sdk/protocol/ids"
import { expect, test } from "vitest"
import { countOf, createTestCommittee } from "../../../test/support/decryptionNetwork.ts"
import {
  addCiphertext,
  addRequest,
  blockAt,
  createScriptedChain,
} from "../../../test/support/scriptedChain.ts"
import { tallyScene } from "../../../test/support/tallyScene.ts"
import type { DecryptionRequest } from "../chain/chainView.ts"
import { createMemoryStore } from "../storage/memoryStore.ts"
import { nativeKernel } from "../threshold/opening.ts"
import { recoverSigner } from "../threshold/signatures.ts"
import { AT_WORK, RESERVED } from "./requestQueue.ts"

const size = { n: 4, t: 1 }

test("delivery is repeated with growing pauses, and ends when the gateway has the result", async () => {
  const { chain, ciphertexts, handles } = tallyScene()
  const requestId = addRequest(chain, "tally", handles)
  const deliver = async () => {
    throw new Error("no coordinator")
  }
  const committee = createTestCommittee({ ...size, chain, ciphertexts, deliver })
  await committee.run(120_000, undefined, 500)
  const tries = committee.delivered.length
  expect(tries).toBeGreaterThanOrEqual(2 * size.n)
  expect(tries).toBeLessThanOrEqual(8 * size.n)
  const request = chain.requests.get(requestId)
  if (request === undefined) throw new Error("no request")
  chain.requests.set(requestId, { ...request, status: "fulfilled" })
  chain.head = blockAt(101n, chain.head.timestamp + 1n)
  await committee.run(500)
  const after = committee.delivered.length
  await committee.run(120_000, undefined, 500)
  expect(committee.delivered).toHaveLength(after)
})

test("a request that is settled while it is booked is forgotten, not followed", async () => {
  const { chain, ciphertexts, handles } = tallyScene()
  const requestId = addRequest(chain, "tally", handles)
  const inner = createMemoryStore()
  let write: (() => void) | null = null
  const slow: typeof inner = {
    ...inner,
    putMany: (records) =>
      new Promise((resolve, reject) => {
        write = () => void inner.putMany(records).then(resolve, reject)
      }),
  }
  const committee = createTestCommittee({ ...size, chain, ciphertexts, stores: new Map([[2, slow]]) })
  await committee.run(1000, () => write !== null)
  const request = chain.requests.get(requestId)
  if (request === undefined) throw new Error("no request")
  chain.requests.set(requestId, { ...request, status: "fulfilled" })
  chain.head = blockAt(101n, chain.head.timestamp + 1n)
  await committee.run(1000)
  ;(write as (() => void) | null)?.()
  await committee.run(1000)
  for (const { service } of committee.nodes) expect(service.kept().subjects).toBe(0)
})

test("everything that one block settled is looked for at that block, however much it is", async () => {
  const { chain: base, ciphertexts, handles } = tallyScene()
  const asked = new Set<RequestId>()
  const requests = new (class extends Map<RequestId, DecryptionRequest> {
    override get(id: RequestId) {
      if (chain.head.number === 101n) asked.add(id)
      return super.get(id)
    }
  })()
  const chain = { ...base, requests }
  const other = parseKeyId(keccak(Uint8Array.of(9)))
  for (let i = 0; i < 1200; i++) addRequest(chain, `of another key ${i}`, handles, { keyId: other })
  const committee = createTestCommittee({ ...size, chain, ciphertexts, down: [2, 3, 4] })
  await committee.run(5000)
  for (const [id, request] of requests) requests.set(id, { ...request, status: "refunded" })
  chain.head = blockAt(101n, chain.head.timestamp + 1n)
  await committee.run(3000)
  expect(asked.size).toBe(requests.size)
})

test("what the chain has settled is forgotten, whatever came of it", async () => {
  const { chain, ciphertexts, handles } = tallyScene()
  const ids = handles.map((handle, i) => addRequest(chain, `request ${i}`, [handle]))
  const [, , frozen] = handles
  const entry = frozen === undefined ? undefined : chain.commitments.get(frozen)
  if (entry !== undefined) entry.state = { ...entry.state, status: "frozen" }
  const committee = createTestCommittee({ ...size, chain, ciphertexts })
  await committee.run(1000)
  expect(committee.nodes[0]?.service.kept().subjects).toBe(2)
  for (const id of ids) {
    const request = chain.requests.get(id)
    if (request !== undefined) chain.requests.set(id, { ...request, status: "fulfilled" })
  }
  chain.head = blockAt(101n, chain.head.timestamp + 1n)
  await committee.run(1000)
  for (const { service } of committee.nodes) expect(service.kept().subjects).toBe(0)
})

test("a subject without a quorum makes room for what waits", async () => {
  const chain = createScriptedChain()
  const ciphertext = addCiphertext(chain, "weight", 7n)
  // Nobody else hears of party 2: its subjects find no quorum while it is cut off.
  for (let i = 0; i < AT_WORK + RESERVED + 8; i++)
    addRequest(chain, `request ${i}`, [ciphertext.handle], {
      requester: parseAddress(`0x${(i + 1).toString(16).padStart(40, "0")}`),
    })
  const connected = (from: number, to: number) => from !== 2 && to !== 2
  const committee = createTestCommittee({
    ...{ ...size, chain, connected, ciphertexts: [ciphertext] },
    ...{ down: [1, 3, 4], recover: recoverSigner, openingKernel: nativeKernel },
  })
  const node = committee.nodes[1]
  let most = 0
  const note = () => {
    most = Math.max(most, node?.service.kept().subjects ?? 0)
    return false
  }
  await committee.run(1000, undefined, 500)
  expect(node?.service.kept().subjects).toBe(AT_WORK + RESERVED)
  await committee.run(9000, note, 500)
  expect(most).toBe(AT_WORK + RESERVED)
  expect(await countOf(node as never, "subjects_parked_total")).toBeGreaterThan(0)
})
