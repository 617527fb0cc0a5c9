import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import { describe, expect, test } from "vitest"
import type { KeyRecord } from "../../chain/chainView.ts"
import { silentLogger } from "../../telemetry/logger.ts"
import { PARTIES, partyAt, type Tamper } from "../party.fixture.ts"
import type { World } from "../world.fixture.ts"
import { discard, discardOf, failedCeremony, judge, vaultsOf } from "./blame.fixture.ts"
import { decodeBlameFile } from "./blameFile.ts"
import { type BlameService, createBlameService, REVEAL_PROTOCOL } from "./blameService.ts"
import { encodeReveal, signReveal } from "./reveal.ts"

type Scene = {
  readonly world: World
  /** Newest blame file by party. */
  readonly files: ReadonlyMap<number, Uint8Array>
  /** Who sent reveals. */
  readonly revealed: ReadonlySet<number>
  /** @param record what the chain of this party shows, where it is not everybody's */
  serve(index: number, record?: () => KeyRecord): BlameService
  wait(milliseconds: number): Promise<void>
}

/** After a ceremony in which party 2 lied. */
async function scene(): Promise<Scene> {
  const revealed = new Set<number>()
  const files = new Map<number, Uint8Array>()
  const tamper: Tamper = (from, _to, protocol, payload) => {
    if (protocol === REVEAL_PROTOCOL.id)
      revealed.add(PARTIES.findIndex(({ address }) => address === from) + 1)
    return [payload]
  }
  const world = await failedCeremony(tamper)
  return {
    world,
    files,
    revealed,
    serve(index, record = () => world.chain.record) {
      const service = createBlameService({
        network: world.deps(index).network,
        chain: { head: async () => world.chain.head, key: async () => record() },
        scheduler: world.clock,
        logger: silentLogger,
        sign: partyAt(index).sign,
        roots: vaultsOf(world, index).roots,
        timeouts: { pollMs: 1000, revealsMs: 60_000 },
        keepBlameFile: async (_, file) => void files.set(index, file),
      })
      service.start()
      return service
    },
    async wait(milliseconds) {
      const limit = world.clock.now() + milliseconds
      await world.until(() => world.clock.now() > limit)
    },
  }
}

const liarsIn = async (file: Uint8Array): Promise<readonly PartyIndex[]> =>
  (await judge(decodeBlameFile(file))).liars.map(({ party }) => party)

const stop = (services: readonly BlameService[]) => Promise.all(services.map((service) => service.stop()))

describe("the exchange of roots", () => {
  test("starts when the discard is final and leaves every party a file that names the liar", async () => {
    const { world, files, revealed, serve, wait } = await scene()
    const services = PARTIES.map((_, at) => serve(at + 1))
    await wait(30_000)
    expect([revealed.size, files.size]).toEqual([0, 0])
    discard(world)
    await world.until(() => files.size === PARTIES.length)
    for (const file of files.values()) expect(await liarsIn(file)).toEqual([2])
    await stop(services)
  })

  test("is no request: a party reveals by its own view of the chain, whatever others reveal", async () => {
    const { world, revealed, serve, wait } = await scene()
    const fooled = (): KeyRecord => ({ ...world.chain.record, status: "discarded", activation: null })
    const services = [serve(1), serve(3, fooled), serve(4, fooled)]
    await wait(30_000)
    expect([...revealed].sort()).toEqual([3, 4])
    await stop(services)
  })

  test("ends without the root of a party that stays away, and takes it in when it comes late", async () => {
    const { world, files, serve, wait } = await scene()
    const services = [1, 3, 4].map((index) => serve(index))
    discard(world)
    await wait(30_000)
    expect(files.size).toBe(0)
    await wait(60_000)
    const partiesIn = (file: Uint8Array = new Uint8Array()) =>
      decodeBlameFile(file).reveals.map(({ party }) => party)
    expect(partiesIn(files.get(1))).toEqual([1, 3, 4])
    services.push(serve(2))
    await world.until(() => partiesIn(files.get(1)).length === 4)
    await stop(services)
  })

  test("goes on after a crash between the durable mark and the first message", async () => {
    const { world, files, serve } = await scene()
    discard(world)
    const { roots } = vaultsOf(world, 1)
    await roots.reveal(await discardOf(world.chain.record, world), partyAt(1).address)
    const services = PARTIES.map((_, at) => serve(at + 1))
    await world.until(() => files.size === PARTIES.length)
    for (const file of files.values()) {
      expect(decodeBlameFile(file).reveals.map(({ party }) => party)).toEqual([1, 2, 3, 4])
      expect(await liarsIn(file)).toEqual([2])
    }
    await stop(services)
  })
})

describe("reveals of others", () => {
  test("count only from their own party, for a ceremony that failed here", async () => {
    const { world, serve } = await scene()
    discard(world)
    const services = [serve(1), serve(3)]
    const { roots } = vaultsOf(world, 1)
    const failed = await roots.attempt(world.chain.record.keyId)
    if (failed === null) throw new Error("nothing was kept")
    const send = (from: number, payload: Uint8Array) =>
      world.deps(from).network.send(partyAt(1).address, REVEAL_PROTOCOL.id, payload)
    const reveal = { keyId: failed.keyId, attempt: 1, party: 2 as PartyIndex, root: new Uint8Array(32) }
    const forged = encodeReveal(await signReveal(reveal, partyAt(4).sign))
    const foreign = encodeReveal(
      await signReveal({ ...reveal, keyId: failed.proposal.parametersHash as never }, partyAt(2).sign),
    )
    for (const [from, payload] of [
      [2, forged],
      [4, encodeReveal(await signReveal(reveal, partyAt(2).sign))],
      [2, foreign],
      [2, new Uint8Array(20)],
    ] as const)
      await expect(send(from, payload)).rejects.toThrow("PEER_REFUSED")
    const known = await roots.reveals(failed)
    expect(known.map(({ party }) => party)).not.toContain(2)
    await stop(services)
  })
})
