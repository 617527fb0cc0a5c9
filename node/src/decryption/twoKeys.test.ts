import { tagHash } from "@twinlock/sdk/protocol/codec"
import { parseKeyId } from "@twinlock/sdk/protocol/ids"
import { describe, expect, test } from "vitest"
import { createTestCommittee, seatSigners } from "../../../test/support/decryptionNetwork.ts"
import {
  addCiphertext,
  addRequest,
  createScriptedChain,
  KEY_ID,
} from "../../../test/support/scriptedChain.ts"
import { createManualClock } from "../clock.ts"
import { createMemoryNetworks } from "../p2p/memoryNetwork.ts"

const SECOND = parseKeyId(tagHash("second key"))
const size = { n: 4, t: 1 }

/** Four enclaves that serve two keys over one network and one store each; every key has the contracts of its own host. */
function twoKeys() {
  const clock = createManualClock()
  const networks = createMemoryNetworks(seatSigners(size.n))
  const chains = [createScriptedChain(), createScriptedChain()] as const
  // The same words under both keys.
  const [a, b] = [KEY_ID, SECOND].map((keyId, at) =>
    addCiphertext(chains[at] ?? chains[0], "words of both", at === 0 ? 1111n : 2222n, 3, undefined, keyId),
  )
  if (a === undefined || b === undefined) throw new Error("two ciphertexts")
  const shared = { ...size, networks, clock }
  const first = createTestCommittee({ ...shared, chain: chains[0], ciphertexts: [a] })
  const stores = new Map(first.nodes.map(({ party, store }) => [party as number, store]))
  const second = createTestCommittee({
    ...{ ...shared, stores, keyId: SECOND },
    ...{ chain: chains[1], ciphertexts: [b] },
  })
  return { chains, a, b, first, second }
}

const valueIn = (plaintexts: string | undefined): bigint => BigInt(plaintexts ?? "0x0")

describe("two keys of the same enclaves", () => {
  test("each answers its own requests at the same time, with its own shares, sessions and signing key", async () => {
    const { chains, a, b, first, second } = twoKeys()
    addRequest(chains[0], "of the first", [a.handle])
    addRequest(chains[1], "of the second", [b.handle], { keyId: SECOND })
    await first.run(5000, () => first.delivered.length > 0 && second.delivered.length > 0)
    const [of, other] = [first.delivered[0], second.delivered[0]]
    expect([of, other].map((one) => valueIn(one?.result.plaintexts))).toEqual([1111n, 2222n])
    expect([of, other].map((one) => one?.certificate.keyId)).toEqual([KEY_ID, SECOND])
    expect(a.words).toEqual(b.words)
    expect(a.session).not.toBe(b.session)
    expect([of, other].map((one) => one?.result.sessions)).toEqual([[a.session], [b.session]])
    expect(first.groupKey).not.toEqual(second.groupKey)
  })

  test("a request of the other key is nobody's business", async () => {
    const { chains, a, first, second } = twoKeys()
    addRequest(chains[0], "of the second, at the first one's gateway", [a.handle], { keyId: SECOND })
    await first.run(3000)
    expect([first.submitted, second.submitted]).toEqual([[], []])
  })
})
