/**
 * One party's whole key ceremony (protocol §4), put together: standing → bit phase → contributions → row check →
 * key → CRS → self-test → signing key → activation. What each round does is in its own file; the order is here.
 *
 * Security: the engine's party, both shares and the nonces live for the attempt only and are destroyed at its end,
 * whatever the end is. The sealed share stays only where the chain may still activate the key.
 */
import { fromHex } from "@twinlock/sdk/protocol/codec"
import { createCommittee, partyOf } from "@twinlock/sdk/protocol/committee"
import type { KeyActivation, SigningDomain } from "@twinlock/sdk/protocol/eip712"
import { assertNever } from "@twinlock/sdk/protocol/errors"
import type { Address, Digest } from "@twinlock/sdk/protocol/ids"
import type { Rng } from "@twinlock/sdk/protocol/rng"
import type { SigningNonces } from "@twinlock/sdk/threshold/frostSign"
import type { BlobSink } from "../blobs/blobSink.ts"
import type { BlobSource } from "../blobs/blobSource.ts"
import type { ChainView, KeyRecord } from "../chain/chainView.ts"
import {
  ACTIVATION_ROUND,
  activationRounds,
  type SignedActivation,
  type SigningKey,
  splitActivation,
} from "./activationRounds.ts"
import { type Attempt, ONLY_ATTEMPT, proposalDigestOf, refuse } from "./attempt.ts"
import { failedAttempt } from "./blame/failedAttempt.ts"
import type { RootVault } from "./blame/rootVault.ts"
import { type CeremonyBundle, encodeBundle } from "./bundle.ts"
import { watchProposal } from "./chainWatch.ts"
import { createReduceScatter } from "./contributions.ts"
import { type Crs, crsRounds } from "./crsRounds.ts"
import { dkgRounds } from "./dkgRounds.ts"
import type { KeygenEngine, KeyShare } from "./engine.ts"
import { type KeptSums, keepingSink, serveSums } from "./keptSums.ts"
import { type KeyMaterial, keyRounds } from "./keyRounds.ts"
import { nativeRounds } from "./nativeRounds.ts"
import { patientSource } from "./patientBlobs.ts"
import { createChunkSource } from "./publishedChunks.ts"
import { type Round, slot } from "./rounds.ts"
import { rowRounds } from "./rowRounds.ts"
import { type EndState, type Runner, type RunnerDeps, type RunnerOptions, startRunner } from "./runner.ts"
import { selfTestRounds } from "./selfTestRounds.ts"
import { xwingSealing } from "./shareSealing.ts"
import type { ShareVault } from "./shareVault.ts"
import { type StandingDeps, standingRound } from "./standingRound.ts"
import type { Cause } from "./state.ts"
import { type ActivationSubmitter, submitActivation } from "./submitActivation.ts"
import { createVerdictCollector } from "./verdictCollector.ts"

export type CeremonyTimeouts = {
  /** Messages of an ordinary round, and again its echoes. */
  readonly roundMs: number
  /** One CRS update with its verification. */
  readonly crsMs: number
  /** All contributions together, and again all chunks for the row check. */
  readonly contributionsMs: number
  /** Contributions to one chunk; and again one chunk for the row check. */
  readonly chunkMs: number
  /** Verdicts of the executors. */
  readonly verdictsMs: number
  /** Between turns of submitters. */
  readonly turnMs: number
  /** Between looks at the chain. */
  readonly pollMs: number
}

/** Generous for four nodes and two executors on two cores. */
export const CEREMONY_TIMEOUTS: CeremonyTimeouts = {
  roundMs: 120_000,
  crsMs: 300_000,
  contributionsMs: 900_000,
  chunkMs: 120_000,
  verdictsMs: 600_000,
  turnMs: 10_000,
  pollMs: 1_000,
}

export type CeremonyDeps = RunnerDeps &
  StandingDeps & {
    readonly engine: KeygenEngine
    readonly chain: Pick<ChainView, "head" | "key">
    readonly vault: ShareVault
    readonly roots: Pick<RootVault, "keep">
    readonly signing: SigningDomain
    readonly rng: Rng
    readonly sink: BlobSink
    readonly source: BlobSource
    /** One attempt runs at a time. */
    readonly sums: KeptSums
    readonly submitter: ActivationSubmitter
    readonly timeouts: CeremonyTimeouts
    /** Bytes of contributions, as they leave. */
    onContribution(bytes: number): void
    /** Bytes of the key, as the row check takes them in. */
    onAbsorbed(bytes: number): void
    /** Keeps the public transcript of a finished ceremony. */
    keepTranscript(record: KeyRecord, bundle: Uint8Array): Promise<void>
  }

/** @throws CEREMONY_FOREIGN where `self` holds no seat, COMMITTEE_SIZE, COMMITTEE_PARTIES */
export function attemptFor({ keyId, epoch, proposal }: KeyRecord, self: Address): Attempt {
  const committee = createCommittee({ keyId, epoch, t: proposal.t, parties: proposal.parties })
  const party = partyOf(committee, self)
  if (party === null) throw refuse("CEREMONY_FOREIGN", `${self} holds no seat of ${keyId}`)
  return { committee, self: party, attempt: ONLY_ATTEMPT, proposalDigest: proposalDigestOf(keyId, proposal) }
}

/**
 * Starts this party's attempt at a proposed key. The caller has checked the proposal (`proposal.ts`).
 * @throws CEREMONY_ATTEMPTED where this node has tried this key before
 */
export async function startCeremony(record: KeyRecord, deps: CeremonyDeps): Promise<Runner> {
  const attempt = attemptFor(record, deps.network.self)
  await deps.vault.begin(record.keyId)
  return startRunner(prepareCeremony(record, attempt, deps), deps)
}

/** All rounds of the attempt and what surrounds them; nothing has been sent yet. */
export function prepareCeremony(record: KeyRecord, attempt: Attempt, deps: CeremonyDeps): RunnerOptions {
  const { engine, vault, network, scheduler, sink, source, sums, sign, timeouts, logger } = deps
  const { committee, self } = attempt
  const { keyId, epoch } = committee

  const lifetime = new AbortController()
  const { signal } = lifetime
  const delivery = { network, scheduler, signal }
  const wipes: (() => void)[] = []
  const material = slot<KeyMaterial>("the key's public material")
  const crs = slot<Crs>("the CRS")
  const share = slot<KeyShare>("the share of the decryption key")
  const signingKey = slot<SigningKey>("the share of the signing key")
  const unsigned = slot<{ readonly activation: KeyActivation; readonly digest: Digest }>("the activation")
  const signed = slot<SignedActivation>("the signed activation")
  const nonces = slot<SigningNonces>("nonces of the group signature")

  const { n, t } = committee
  let rootErased = false
  const party = engine.createParty({ ceremonyId: fromHex(keyId), attempt: ONLY_ATTEMPT, n, t, index: self })
  const scatter = createReduceScatter(attempt, {
    ...delivery,
    engine,
    party,
    sink: keepingSink(sums, sink),
    chunkTimeoutMs: timeouts.chunkMs,
    onBytes: deps.onContribution,
  })
  const verdicts = createVerdictCollector({
    keyId,
    attempt: ONLY_ATTEMPT,
    executors: record.proposal.executors,
    k: record.proposal.k,
    timeoutMs: timeouts.verdictsMs,
    scheduler,
    signal,
  })
  const chunks = createChunkSource(attempt, { ...delivery, source, sums, timeoutMs: timeouts.chunkMs })
  const answerSum = serveSums(sums, { sink, signal })
  const shared = {
    engine,
    sink,
    source: patientSource(source, scheduler),
    chunks,
    sign,
    vault,
    material,
    crs,
    share,
    signingKey,
    rng: deps.rng,
  }
  const { chunkDigests, publicKey } = keyRounds(attempt, {
    ...shared,
    party,
    scatter,
    signal,
    timeoutMs: timeouts.roundMs,
    contributionTimeoutMs: timeouts.contributionsMs,
  })
  const rounds: readonly Round[] = [
    standingRound(attempt, deps, { timeoutMs: timeouts.roundMs, signal }),
    ...nativeRounds(attempt, party, timeouts.roundMs),
    chunkDigests,
    ...rowRounds(attempt, {
      ...shared,
      party,
      signal,
      timeoutMs: timeouts.roundMs,
      chunksTimeoutMs: timeouts.contributionsMs,
      onAbsorbed: deps.onAbsorbed,
    }),
    publicKey,
    ...crsRounds(attempt, { ...shared, signal, kept: sums, timeoutMs: timeouts.crsMs }),
    ...selfTestRounds(attempt, {
      ...shared,
      ...delivery,
      executors: record.proposal.executors,
      k: record.proposal.k,
      verdicts,
      timeoutMs: timeouts.roundMs,
      verdictTimeoutMs: timeouts.verdictsMs + timeouts.roundMs,
    }),
    ...dkgRounds(attempt, {
      ...shared,
      sealing: xwingSealing(committee, deps.rng),
      timeoutMs: timeouts.roundMs,
      onEnd: (wipe) => void wipes.push(wipe),
    }),
    ...activationRounds(attempt, {
      ...shared,
      eraseRoot() {
        rootErased = true
        party.destroy()
      },
      signing: deps.signing,
      timeoutMs: timeouts.roundMs,
      unsigned,
      signed,
      nonces,
    }),
  ]

  function destroySecrets(): void {
    party.destroy()
    share.peek()?.destroy()
    signingKey.peek()?.keyShare.wipe()
    nonces.peek()?.wipe()
    for (const wipe of wipes) wipe()
  }

  /** Of a key that became active although a signer kept its share of the group's signature from this party. */
  function witnessed(records: EndState["records"]): CeremonyBundle["signed"] | null {
    const activation = unsigned.peek()?.activation
    const broadcasts = records.find(({ name }) => name === ACTIVATION_ROUND)?.broadcasts
    if (activation === undefined || !broadcasts) return null
    const signatures = broadcasts.map((broadcast) => splitActivation(broadcast).signature)
    return { activation, signatures, groupSignature: null }
  }

  /** What a replay needs, should the key be discarded: only of a party that has not prepared to sign. */
  async function keepRoot(state: EndState): Promise<void> {
    if (state.status !== "aborted" || rootErased) return
    const names = rounds.map(({ spec }) => spec.name)
    await deps.roots
      .keep(failedAttempt(record, attempt, state, names), network.self, party)
      .catch((err: unknown) => logger.error({ err, ceremony: keyId }, "the root cannot be kept for blame"))
  }

  async function release(state: EndState): Promise<void> {
    await keepRoot(state)
    destroySecrets()
    await sums.clear().catch((err: unknown) => logger.warn({ err }, "files of an ended attempt stay"))
    switch (state.status) {
      case "awaiting-chain":
        return
      case "aborted":
        logger.warn({ ceremony: keyId, ...facts(state.cause) }, "ceremony aborted")
        // A share is only forgotten where no activation by all n parties can exist.
        if (state.cause.code !== "CEREMONY_OTHER_ACTIVATION") await vault.remove({ keyId, epoch })
        return
      case "finished": {
        logger.info({ ceremony: keyId, rounds: state.records.length }, "ceremony finished")
        const complete = signed.peek() ?? witnessed(state.records)
        if (complete === null) return
        const { proposal } = record
        const { records } = state
        const bundle = {
          keyId,
          attempt: ONLY_ATTEMPT,
          proposal,
          signing: deps.signing,
          records,
          publicKeyChunk: material.get().publicKeyChunk,
          crs: crs.get().history,
          signed: complete,
        }
        await deps.keepTranscript(record, encodeBundle(bundle))
        return
      }
      default:
        assertNever(state)
    }
  }

  return {
    attempt,
    rounds,
    lifetime,
    release,
    receive: async (protocol, from, payload) => {
      if (protocol === "verdict") {
        verdicts.receive(from, payload)
        return
      }
      const sender = partyOf(committee, from)
      if (sender === null || sender === self) throw refuse("CEREMONY_FOREIGN", `${from} contributes nothing`)
      await scatter.receive(sender, payload)
    },
    answer: async (request, from, payload) => {
      if (partyOf(committee, from) === null) throw refuse("CEREMONY_FOREIGN", `${from} takes no part`)
      return request === "sum" ? answerSum(payload) : scatter.contributed(payload)
    },
    submit: () =>
      submitActivation(deps.submitter, signed.get(), {
        self,
        turnMs: timeouts.turnMs,
        scheduler,
        signal,
        logger,
      }),
    watchChain: (emit) =>
      watchProposal(
        keyId,
        { chain: deps.chain, scheduler, logger, pollMs: timeouts.pollMs },
        () => unsigned.peek()?.activation ?? null,
        emit,
      ),
  }
}

/** For the log, which has no use for signed headers. */
const facts = ({ evidence: _, ...rest }: Cause): Omit<Cause, "evidence"> => rest
