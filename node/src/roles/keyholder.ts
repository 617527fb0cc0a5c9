/**
 * Services of a keyholder: takes part in key ceremonies, and serves decryptions of every key that is active and whose
 * share it holds. Put together from the node's context; nothing here decides anything.
 */
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { createCommittee, partyOf } from "@twinlock/sdk/protocol/committee"
import type { SigningDomain } from "@twinlock/sdk/protocol/eip712"
import type { KeyId, PartyIndex } from "@twinlock/sdk/protocol/ids"
import { signDigest } from "@twinlock/sdk/protocol/signature"
import type { SeatSigner } from "../ceremony/attempt.ts"
import { CEREMONY_TIMEOUTS } from "../ceremony/ceremony.ts"
import { createCeremonyService } from "../ceremony/ceremonyService.ts"
import { patientSink } from "../ceremony/patientBlobs.ts"
import { createProgressMeter, describeProgress } from "../ceremony/progress.ts"
import { createRouter } from "../ceremony/router.ts"
import { createShareVault } from "../ceremony/shareVault.ts"
import type { KeyRecord } from "../chain/chainView.ts"
import { keyRegistryInterface } from "../chain/contracts.ts"
import { createUpdateProcess } from "../crs/updateProcess.ts"
import { evidenceRoute } from "../decryption/evidenceRoute.ts"
import type { ShareHolder } from "../decryption/release.ts"
import { answerUserDecryption } from "../decryption/routes.ts"
import type { KeySeat } from "../decryption/seat.ts"
import { createDecryptionService, DEFAULT_OPTIONS, type DecryptionService } from "../decryption/service.ts"
import type { NodeContext, NodeService } from "../nodeContext.ts"
import { type KeyShare, unsealKeyShare } from "../threshold/keyShare.ts"
import { nativeCurve } from "../threshold/nativeCurve.ts"
import { nativeEngine } from "../threshold/nativeEngine.ts"
import { nativeKernel } from "../threshold/opening.ts"
import { recoverSigner, signDigest as signNatively } from "../threshold/signatures.ts"
import { createBlame } from "./blame.ts"
import { blobsOf } from "./blobs.ts"
import { createDelivery } from "./deliver.ts"
import { freshQuotes } from "./freshQuotes.ts"
import { trimMemoryRegularly } from "./memory.ts"
import { createStandingEvidence } from "./standingEvidence.ts"
import { createSumFiles } from "./sumFiles.ts"

export type KeyholderOptions = {
  /** What answers for the share in decryptions. Production passes the share itself; a liar of the tests wraps it. */
  readonly holderOf: (share: KeyShare) => ShareHolder
}

const honest: KeyholderOptions = {
  holderOf: (share) => share,
}

const LONGEST_PAUSE_MS = 60_000

type Serving = { readonly share: KeyShare; readonly service: DecryptionService; readonly record: KeyRecord }

export function keyholderServices(
  context: NodeContext,
  options: KeyholderOptions = honest,
): readonly NodeService[] {
  const {
    config,
    identity,
    chain,
    network,
    store,
    transactor,
    clock,
    scheduler,
    rng,
    logger,
    metrics,
    health,
  } = context
  const { source, sink } = blobsOf(context)
  const chainId = BigInt(config.chain.id)
  const signing: SigningDomain = { chainId, verifyingContract: config.contracts.decryptionVerifier }
  const host = {
    chainId,
    coprocessor: config.contracts.coprocessor,
    gateway: config.contracts.decryptionGateway,
  }
  const fromBlock = BigInt(config.chain.deployedAt)
  const vault = createShareVault({ store, rng, sealingKey: (seat) => context.epochKey(seat) })
  const serving = new Map<KeyId, Serving>()
  const starting = new Set<KeyId>()
  let stopped = false
  const gauge = (name: string, help: string) => metrics.gauge({ name: `ceremony_${name}`, help })
  const gauges = {
    round: gauge("round", "Round of the running key ceremony, from 1; 0 where none runs"),
    percent: gauge("percent", "How much of the running key ceremony is done"),
    secondsLeft: gauge("seconds_left", "Seconds that the running key ceremony is expected to take still"),
    bytesSent: gauge("bytes_sent", "Bytes that this node has sent in the running key ceremony"),
  }
  const { byteLength } = nativeEngine.keyLayout()
  const meter = createProgressMeter({ keyBytes: byteLength, now: () => clock.now() })
  let logged = ""
  const contributed = metrics.counter({
    name: "ceremony_contributed_bytes_total",
    help: "Bytes of key contributions sent",
  })

  /** To metrics always, to the log for every round and every tenth of the whole. */
  function tellProgress(): void {
    const progress = meter.current()
    for (const [name, metric] of Object.entries(gauges))
      metric.set(progress?.[name as keyof typeof gauges] ?? 0)
    const step = progress === null ? "" : `${progress.round}/${Math.floor(progress.percent / 10)}`
    if (progress !== null && step !== logged) logger.info({ ...progress }, "ceremony")
    logged = step
  }

  /** Once per key, repeated until it works: a share that cannot be read now may be readable later. */
  function serveUntilUp(record: KeyRecord, failures = 0): void {
    const { keyId } = record
    if (stopped || serving.has(keyId) || starting.has(keyId)) return
    starting.add(keyId)
    serve(record)
      .catch((err: unknown) => {
        logger.error({ err, keyId, failures }, "an active key cannot be served")
        const pause = Math.min(1000 * 2 ** failures, LONGEST_PAUSE_MS)
        scheduler.after(pause, () => serveUntilUp(record, failures + 1))
      })
      .finally(() => starting.delete(keyId))
  }

  async function serve(record: KeyRecord): Promise<void> {
    const { keyId, epoch, proposal } = record
    const committee = createCommittee({ keyId, epoch, t: proposal.t, parties: proposal.parties })
    const self = partyOf(committee, identity.signer)
    if (self === null) return
    const { frostShare, frostPublic } = await vault.openSigningKey({ keyId, epoch })
    const share = await openShare(record, self)
    if (stopped) return share.destroy()
    const seat: KeySeat = {
      key: {
        ...{ keyId, epoch, parametersHash: proposal.parametersHash },
        domain: { chainId, coprocessor: host.coprocessor },
      },
      committee,
      self,
      signing,
      signer: identity.signerKey,
      sign: signNatively,
    }
    const service = createDecryptionService({
      seat,
      gateway: host.gateway,
      view: chain,
      blobs: source,
      holder: options.holderOf(share),
      recover: recoverSigner,
      openingKernel: nativeKernel,
      curve: nativeCurve,
      quotes: freshQuotes(seat, {
        ...{ quoter: context.quoter, reader: context.reader, chain },
        verifier: config.contracts.decryptionVerifier,
      }),
      deliver: createDelivery(config.coordinators),
      startBlock: fromBlock,
      options: DEFAULT_OPTIONS,
      ...{ network, store, frostShare, frostPublic, clock, scheduler, rng, logger, metrics },
    })
    serving.set(keyId, { share, service, record })
    service.start()
    logger.info({ keyId, epoch, party: self }, "serving decryptions of a key")
  }

  async function openShare({ keyId, epoch }: KeyRecord, party: PartyIndex): Promise<KeyShare> {
    const { sealed, context: bound } = await vault.sealedShare({ keyId, epoch, party })
    const key = await context.epochKey({ keyId, epoch })
    try {
      return key.use((bytes) => unsealKeyShare(sealed, bytes, bound))
    } finally {
      key.wipe()
    }
  }

  const sign: SeatSigner = async (digest) => identity.signerKey.use((key) => signDigest(digest, key))
  const { roots, blame } = createBlame(context, vault, sign)
  const ceremonies = createCeremonyService(
    { host, fromBlock },
    {
      ...createStandingEvidence(context),
      ...{ chain, network, scheduler, rng, signing, source, vault, roots, sign },
      sink: patientSink(sink, scheduler),
      sums: createSumFiles(join(config.dataDirectory, "sums")),
      logger,
      engines: [{ ...nativeEngine, crsUpdate: createUpdateProcess(scheduler) }],
      router: createRouter(network),
      recover: recoverSigner,
      timeouts: CEREMONY_TIMEOUTS,
      submitter: {
        async submit(keyId, { activation, signatures, groupSignature }) {
          const { publicKeyDigest, serverKeyDigest, crsDigest, transcriptDigest, groupX, groupV } = activation
          const args = [
            keyId,
            { publicKeyDigest, serverKeyDigest, crsDigest, transcriptDigest, groupX, groupV },
            signatures,
            groupSignature.r,
            groupSignature.s,
          ]
          const { gasUsed, hash } = await transactor.send({
            to: config.contracts.keyRegistry,
            abi: keyRegistryInterface,
            method: "activate",
            args,
          })
          logger.info({ keyId, gas: Number(gasUsed), transaction: hash }, "key activated")
        },
      },
      onProgress(round) {
        meter.enter(round)
        tellProgress()
      },
      onContribution(bytes) {
        contributed.add({}, bytes)
        meter.contributed(bytes)
        tellProgress()
      },
      onAbsorbed(bytes) {
        meter.absorbed(bytes)
        tellProgress()
      },
      async keepTranscript({ keyId }, bundle) {
        const folder = join(config.dataDirectory, "transcripts")
        await mkdir(folder, { recursive: true })
        await writeFile(join(folder, `${keyId.slice(2)}.bundle`), bundle)
      },
      onActiveKey: (record) => serveUntilUp(record),
      onEnd({ keyId }, state) {
        meter.end()
        tellProgress()
        if (state.status === "aborted") {
          logger.error({ keyId, cause: state.cause }, "ceremony aborted")
          blame.consider(keyId)
        } else logger.info({ keyId, status: state.status }, "ceremony ended")
      },
    },
  )
  const noKeyYet = (): string => {
    const progress = meter.current()
    return progress === null ? "no active key yet" : `key ceremony: ${describeProgress(progress)}`
  }
  health.add("key", () => ({
    ready: serving.size > 0,
    reason: serving.size === 0 ? noKeyYet() : `${serving.size} keys are served`,
  }))

  let stopTrimming = () => {}

  return [
    {
      name: "keyholder",
      async start() {
        ceremonies.start()
        blame.start()
        stopTrimming = trimMemoryRegularly(scheduler, (err) => logger.warn({ err }, "memory not given back"))
      },
      async stop() {
        stopped = true
        stopTrimming()
        await ceremonies.stop()
        await blame.stop()
        for (const { service, share } of serving.values()) {
          service.stop()
          share.destroy()
        }
      },
      routes: [
        evidenceRoute(() =>
          [...serving.values()].map(({ record: { keyId, epoch }, service }) => ({
            ...{ keyId, epoch },
            faults: service.evidence(),
          })),
        ),
        (app) => {
          app.get("/v1/ceremony", (request) => request.json({ ceremony: meter.current() }))
        },
        (app) => {
          app.post("/v1/user-decryptions", async (request) => {
            const body: unknown = await request.req.json().catch(() => null)
            const keyId = (body as { readonly keyId?: unknown } | null)?.keyId
            const entry = typeof keyId === "string" ? serving.get(keyId as KeyId) : undefined
            if (entry === undefined)
              return request.json(
                { error: { code: "WRONG_KEY", message: "this node serves no such key" } },
                503,
              )
            const answer = await answerUserDecryption(body, entry.record.keyId, entry.service.user)
            return request.json(answer.body, answer.status)
          })
        },
      ],
    },
  ]
}
