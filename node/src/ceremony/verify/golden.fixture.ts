/**
 * How the golden transcript is made and judged: a whole transcript that is small enough to be kept in the repository: rounds of the addon over a few bits, quotes of
 * simulated machines, everything after the bits on the toy engine.
 */
import { parseRootKey } from "@twinlock/sdk/attestation/chain"
import { explainUnder } from "@twinlock/sdk/attestation/explain"
import { fromHex } from "@twinlock/sdk/protocol/codec"
import type { Address } from "@twinlock/sdk/protocol/ids"
import { blockAt, type Scene, sceneOf } from "../../roles/standing.fixture.ts"
import { nativeEngine } from "../../threshold/nativeEngine.ts"
import { engineRound } from "../nativeRounds.ts"
import { PARTIES } from "../party.fixture.ts"
import type { Round } from "../rounds.ts"
import type { RunnerOptions } from "../runner.ts"
import { toyAudit } from "../toyAudit.fixture.ts"
import { TOY_ROUNDS, toyLayout } from "../toyEngine.fixture.ts"
import { createWorld } from "../world.fixture.ts"
import { type AuditReport, auditCeremony } from "./auditCeremony.ts"
import type { KeygenAudit } from "./keygenAudit.ts"
import { createNativeAudit } from "./nativeAudit.ts"
import { createStandingJudge } from "./quotes.ts"
import type { Transcript } from "./transcript.ts"

/** Bits of the golden transcript. */
export const BITS = 24
const CHUNKS = 6

const toyNames: readonly string[] = [...TOY_ROUNDS.rounds, ...TOY_ROUNDS.rowRounds]
const renamed = (name: string): string => (toyNames.includes(name) ? `toy-${name}` : name)

/** What the toy engine said, under the names that its audit looks for. */
const toyPart = (transcript: Transcript): Transcript => ({
  ...transcript,
  broadcasts: (name) => transcript.broadcasts(renamed(name)),
})

const native = createNativeAudit(BITS)
const toy = toyAudit(toyLayout(CHUNKS))
const audit: KeygenAudit = {
  ...toy,
  rounds(committee) {
    const { rounds, rowRounds } = native.rounds(committee)
    return {
      rounds: [...rounds, ...rowRounds, ...TOY_ROUNDS.rounds.map(renamed)],
      rowRounds: TOY_ROUNDS.rowRounds.map(renamed),
    }
  },
  publicSeed: (transcript) => toy.publicSeed(toyPart(transcript)),
  checkPoints(transcript) {
    native.publicSeed(transcript)
    return `${native.checkPoints(transcript)}; ${toy.checkPoints(toyPart(transcript))}`
  },
}

/** @param rootKey of the simulated machines */
export const auditGolden = (bundle: Uint8Array, rootKey: Uint8Array): Promise<AuditReport> =>
  auditCeremony(bundle, {
    keygens: [audit],
    standing: createStandingJudge((quote, options) => explainUnder(parseRootKey(rootKey), quote, options)),
    ...{ policy: null, namesCode: false, chain: null, files: null },
  })

/** The addon's rounds run first, beside the toy's. */
function withNativeRounds(options: RunnerOptions): RunnerOptions {
  const { attempt } = options
  const { keyId, n, t } = attempt.committee
  const party = nativeEngine.createParty({
    ...{ ceremonyId: fromHex(keyId), attempt: attempt.attempt, n, t, index: attempt.self, bits: BITS },
  })
  const added = [...party.rounds(), ...party.rowRounds()].map((name, index) =>
    engineRound(attempt, { party, name, index, timeoutMs: 120_000 }),
  )
  const own = options.rounds.map(
    (round): Round => ({
      ...round,
      spec: { ...round.spec, name: renamed(round.spec.name) },
    }),
  )
  return {
    ...options,
    rounds: [...own.slice(0, 1), ...added, ...own.slice(1)],
    async release(state) {
      party.destroy()
      await options.release(state)
    },
  }
}

/** Another one each time. */
export async function makeGolden(): Promise<Uint8Array> {
  const scenes = new Map<Address, Scene>(
    PARTIES.map(({ address, name }) => [address, sceneOf(address, name)]),
  )
  const world = createWorld({
    chunks: CHUNKS,
    deps: (_, deps) => ({
      ...deps,
      evidence: () => sceneAt(deps.network.self).standing.evidence(),
      checkEvidence: (signer, evidence, signal) =>
        sceneAt(signer).standing.checkEvidence(signer, evidence, signal),
    }),
    prepare: (_, options) => withNativeRounds(options),
  })
  function sceneAt(signer: Address): Scene {
    const found = scenes.get(signer)
    if (found === undefined) throw new Error(`no machine of ${signer}`)
    return found
  }
  world.chain = { ...world.chain, head: blockAt(10_000n) }
  world.propose(PARTIES)
  await world.run()
  const bundle = world.transcripts.get(1)
  if (bundle === undefined) throw new Error("the ceremony made no transcript")
  return bundle
}
