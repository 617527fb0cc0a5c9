/** The processes of the keyholders: started, killed, started again over what the disk kept. */

import type { BlobErrorCode, BlobSource } from "@twinlock/node/blobs/blobSource"
import type { ChainView } from "@twinlock/node/chain/chainView"
import type { Clock, Scheduler } from "@twinlock/node/clock"
import {
  createDecryptionService,
  DEFAULT_OPTIONS,
  type DecryptionDeps,
  type DecryptionService,
} from "@twinlock/node/decryption/service"
import type { Network } from "@twinlock/node/p2p/network"
import { Secret } from "@twinlock/node/secret"
import type { SealedStore } from "@twinlock/node/storage/sealedStore"
import type { Logger } from "@twinlock/node/telemetry/logger"
import type { Committee } from "@twinlock/sdk/protocol/committee"
import { isProtocolError, ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { SubmissionBody } from "@twinlock/sdk/protocol/http"
import type { SessionId } from "@twinlock/sdk/protocol/ids"
import { CURRENT_PARAMETERS } from "@twinlock/sdk/protocol/parameters"
import { type FrostKeyShare, groupKey, type PublicKeyPackage } from "@twinlock/sdk/threshold/frost"
import { GENESIS_SECONDS } from "./chain.ts"
import { viewOf } from "./chainView.ts"
import { holderOf } from "./ciphertexts.ts"
import { SimulationFailure } from "./failure.ts"
import { lying } from "./liars.ts"
import { quotesOf } from "./quotes.ts"
import type { Random } from "./random.ts"
import { type Process, startProcess } from "./timeline.ts"
import { DOMAIN, EPOCH, GATEWAY, type Machine, SIGNING, type World } from "./world.ts"

/** What a process of the simulation is given by its machine. */
export type Platform = {
  readonly machine: Machine
  readonly process: Process
  /** Number of the process on its machine, from 1. */
  readonly life: number
  readonly random: Random
  readonly network: Network
  readonly store: SealedStore
  readonly view: ChainView
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly blobs: BlobSource
  readonly logger: Logger
}

export type Node = {
  readonly machine: Machine
  process: Process | null
  lives: number
  /** Serves decryptions; null while the process is down or has no key. */
  service: DecryptionService | null
  /** Ends the process: nothing of it runs any more. */
  crash(): void
  start(): void
}

/** What runs in a process. @returns the service at once where the key is there from the start */
export type Program = (platform: Platform, serve: (service: DecryptionService) => void) => void

export function createNode(world: World, machine: Machine, program: Program): Node {
  const node: Node = {
    machine,
    process: null,
    lives: 0,
    service: null,
    crash() {
      if (node.process === null) return
      node.process.alive = false
      node.process = null
      node.service = null
      machine.disk.crash()
      world.log(`${machine.party} crashes`)
    },
    start() {
      if (node.process !== null) return
      node.lives += 1
      const process = startProcess(`${machine.party}/${node.lives}`)
      node.process = process
      world.log(`${machine.party} starts`)
      program(platformOf(world, machine, process, node.lives), (service) => {
        if (process.alive) node.service = service
      })
    },
  }
  return node
}

function platformOf(world: World, machine: Machine, process: Process, life: number): Platform {
  const { timeline } = world
  const random = world.random.fork(`process/${machine.party}/${life}`)
  const timers = random.fork("timers")
  return {
    ...{ machine, process, life, random },
    network: world.network.join(machine.signer, process),
    store: world.planted?.store?.(machine.disk.open(process)) ?? machine.disk.open(process),
    view: viewOf(world.chain, process, machine.chain, timeline, random.fork("chain")),
    clock: { now: () => Number(GENESIS_SECONDS) * 1000 + machine.skew + Math.floor(timeline.now) },
    // A timer is never early, and a little late.
    scheduler: { after: (ms, task) => timeline.after(ms + timers.exponential(1), process, task) },
    blobs: blobsOf(world, machine, process, random.fork("blobs")),
    logger: loggerOf(world, machine),
  }
}

function blobsOf(world: World, { blobs }: Machine, process: Process, random: Random): BlobSource {
  return {
    get: (digest, maxBytes) =>
      new Promise((resolve, reject) =>
        world.timeline.after(random.exponential(blobs.latency), process, () => {
          const bytes = random.chance(blobs.failures) ? undefined : world.blobs.get(digest)
          if (bytes !== undefined && bytes.length <= maxBytes) return resolve(bytes)
          const code = "BLOB_UNAVAILABLE" satisfies BlobErrorCode
          reject(new ProtocolError({ code, message: `no blob ${digest}` }))
        }),
      ),
  }
}

/** An error that is none of the protocol's own is a defect of the node, wherever it is logged. */
function loggerOf(world: World, { party }: Machine): Logger {
  const line =
    (level: string) =>
    (fields: Readonly<Record<string, unknown>>, message: string): void => {
      const error = fields["err"] ?? fields["reason"]
      const code = isProtocolError(error) ? error.detail.code : (fields["code"] ?? "")
      world.log(`${party} ${level}: ${message} ${String(code)}`)
      const named = (fields["culprits"] ?? []) as readonly number[]
      const honest = SILENCE.test(String(fields["code"]))
        ? []
        : named.filter((culprit) => world.plan.faulty.get(culprit) !== "liar")
      if (honest.length > 0)
        world.fail(new SimulationFailure("culprits", `party ${party} blames ${honest.join()}: ${message}`))
      if (error instanceof Error && !isProtocolError(error) && !isAbort(error))
        world.fail(new SimulationFailure("unhandled", `party ${party}: ${message}: ${error.stack ?? error}`))
    }
  const logger: Logger = {
    debug: () => {},
    ...{ info: line("info"), warn: line("warn"), error: line("error") },
    child: () => logger,
  }
  return logger
}

/** Causes of a ceremony's end that say who was silent, not who lied. */
const SILENCE = /^CEREMONY_(NO_MESSAGE|NO_ECHO|PEER_ABORTED|STOPPED)$/

const isAbort = (error: Error): boolean => error.name === "AbortError"

export type KeyMaterial = {
  readonly committee: Committee
  readonly frostShare: FrostKeyShare
  readonly frostPublic: PublicKeyPackage
}

/** @param deliver brings a certificate to the chain */
export function serveKey(
  world: World,
  platform: Platform,
  { committee, frostShare, frostPublic }: KeyMaterial,
  deliver: (platform: Platform, certified: SubmissionBody) => Promise<void>,
): DecryptionService {
  const { machine, process, random, network, store, view, clock, scheduler, blobs, logger } = platform
  const { party } = machine
  const lies = world.plan.lies.get(party)
  const compute = (session: SessionId): Promise<Uint8Array> =>
    new Promise((resolve) =>
      world.timeline.after(random.exponential(2), process, () =>
        resolve(world.dealer.sharesOf(session, party)),
      ),
    )
  const honest: DecryptionDeps = {
    ...{ network, store, view, clock, scheduler, blobs, logger, frostShare, frostPublic },
    seat: {
      key: {
        ...{ keyId: committee.keyId, epoch: EPOCH, domain: DOMAIN },
        parametersHash: CURRENT_PARAMETERS.hash,
      },
      committee,
      self: party,
      signing: SIGNING,
      signer: new Secret(machine.secretKey.slice()),
    },
    gateway: GATEWAY,
    holder: holderOf(compute),
    quotes: quotesOf(world, platform, { committee, group: groupKey(frostPublic) }),
    deliver: (certified) => deliver(platform, certified),
    rng: random.fork("rng").bytes,
    metrics: null,
    startBlock: 0n,
    options: { ...DEFAULT_OPTIONS, pollMs: world.plan.pollMs },
  }
  const deps =
    lies === undefined
      ? honest
      : lying(honest, lies, world.enclaves, world.random.fork(`lies/${process.name}`))
  const service = createDecryptionService(
    world.planted?.wrap?.(deps, { machine, life: platform.life, world }) ?? deps,
  )
  service.start()
  return service
}
