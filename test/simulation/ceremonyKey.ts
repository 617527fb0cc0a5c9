/**
 * Nodes that make their key in the run: the whole ceremony with a small engine, under the same faults. An attempt that
 * aborts is discarded, and a second one in calm weather has to succeed.
 */

import type { SignedActivation } from "@twinlock/node/ceremony/activationRounds"
import { createRootVault } from "@twinlock/node/ceremony/blame/rootVault"
import { CEREMONY_TIMEOUTS, type CeremonyDeps } from "@twinlock/node/ceremony/ceremony"
import { createCeremonyService } from "@twinlock/node/ceremony/ceremonyService"
import { bytesDigest } from "@twinlock/node/ceremony/digest"
import { serveVerdicts } from "@twinlock/node/ceremony/executorVerdict"
import { memorySums } from "@twinlock/node/ceremony/keptSums.fixture"
import { TOY_PARAMETERS } from "@twinlock/node/ceremony/party.fixture"
import { createRouter } from "@twinlock/node/ceremony/router"
import { createShareVault, KEY_SHARE_KIND, seatName } from "@twinlock/node/ceremony/shareVault"
import { type ToyFiles, toyEngine, toyLayout, unsealToyRoot } from "@twinlock/node/ceremony/toyEngine.fixture"
import type { KeyActivation, KeyRecord } from "@twinlock/node/chain/chainView"
import { Secret } from "@twinlock/node/secret"
import { silentLogger } from "@twinlock/node/telemetry/logger"
import { utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { createCommittee } from "@twinlock/sdk/protocol/committee"
import { hashKeyActivation, typedDigest } from "@twinlock/sdk/protocol/eip712"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Digest, KeyId } from "@twinlock/sdk/protocol/ids"
import { signDigest, verifySignature } from "@twinlock/sdk/protocol/signature"
import { type GroupKey, groupKey, verifyGroupSignature } from "@twinlock/sdk/threshold/frost"
import { GENESIS_SECONDS } from "./chain.ts"
import { viewOf } from "./chainView.ts"
import { createGateway, type Gateway } from "./contract.ts"
import type { Stage } from "./dealtKey.ts"
import { SimulationFailure } from "./failure.ts"
import { createFaults } from "./faults.ts"
import { createNode, type Node, type Platform, serveKey } from "./node.ts"
import { startProcess } from "./timeline.ts"
import { committeeOf, EPOCH, guarded, HOST, type ServedKey, SIGNING, type World } from "./world.ts"

/** The shortest a proposal may stay open, seconds: an attempt that hangs ends with it. */
const OPEN_SECONDS = 900n
/** Longest phase of faults, milliseconds. */
const ROUGH_MS = 15_000
/** Until every attempt at a key has ended, milliseconds: the longest rounds and then the deadline. */
const END_MS = 1_200_000
const CHUNKS = 2
const SEALING_KEY = new Uint8Array(32).fill(7)

/** Shorter than in production: a run waits for no round that nobody answers. */
const TIMEOUTS = { ...CEREMONY_TIMEOUTS, roundMs: 40_000, crsMs: 40_000, verdictsMs: 60_000 }

type Attempts = {
  readonly nodes: readonly Node[]
  readonly gateway: Gateway
  /** Keys and parties that serve them or did. */
  readonly told: Set<string>
  key: ServedKey | null
}

/** The checks of `KeyRegistry.activate`. @throws where the activation does not hold */
function activate(world: World, record: KeyRecord, signed: SignedActivation): void {
  const { activation, signatures, groupSignature } = signed
  const digest = typedDigest(SIGNING, hashKeyActivation(activation))
  record.proposal.parties.forEach((signer, at) => {
    verifySignature(digest, signatures[at] ?? new Uint8Array(), signer)
  })
  const group = groupKeyOf(activation)
  if (!verifyGroupSignature(group, digest, groupSignature)) throw new Error("BadGroupSignature")
  const { chain } = world
  const now = chain.keys.get(record.keyId)?.at(chain.latest) ?? null
  if (now?.status !== "proposed" || chain.block(chain.latest).timestamp > now.proposal.deadline) return
  chain.setKey({ ...now, status: "active", activation })
}

const groupKeyOf = ({ groupX, groupV }: KeyActivation): GroupKey => ({
  groupX,
  groupV: groupV === 28 ? 28 : 27,
})

const blobSource = (world: World): CeremonyDeps["source"] => ({
  get: async (digest, maxBytes) => {
    const bytes = world.blobs.get(digest)
    if (bytes !== undefined && bytes.length <= maxBytes) return bytes
    throw new ProtocolError({ code: "BLOB_UNAVAILABLE", message: `no ${digest}` })
  },
})

const blobSink = (world: World): CeremonyDeps["sink"] => ({
  put: async (digest, bytes) => {
    if (bytesDigest(bytes) !== digest) throw new Error("a blob was put under another digest")
    world.blobs.set(digest as Digest, bytes.slice())
  },
})

function startKeyholder(
  world: World,
  platform: Platform,
  attempts: Attempts,
  serve: (service: ReturnType<typeof serveKey>) => void,
): void {
  const { machine, network, scheduler, logger, store, view, random } = platform
  const sign: CeremonyDeps["sign"] = async (digest) => signDigest(digest, machine.secretKey)
  const rng = random.fork("ceremony").bytes
  const sealingKey = async () => new Secret(SEALING_KEY.slice())
  const vault = createShareVault({ store, rng, sealingKey })
  const roots = createRootVault({ store, vault, sealingKey, unsealRoot: unsealToyRoot })
  const onActiveKey = (record: KeyRecord): void => {
    const { keyId, epoch, proposal } = record
    const committee = createCommittee({ keyId, epoch, t: proposal.t, parties: proposal.parties })
    vault
      .openSigningKey({ keyId, epoch })
      .then(({ frostShare, frostPublic }) => {
        guarded(world, () => tell(world, keyId, groupKey(frostPublic)))
        attempts.told.add(`${keyId} ${machine.party}`)
        serve(serveKey(world, platform, { committee, frostShare, frostPublic }, attempts.gateway.deliver))
      })
      .catch((error: unknown) =>
        world.fail(
          new SimulationFailure("ceremony", `party ${machine.party} cannot serve its key: ${error}`),
        ),
      )
  }
  createCeremonyService(
    { host: HOST, fromBlock: 0n },
    {
      ...{ network, scheduler, logger, sign, vault, roots, rng, signing: SIGNING, chain: view },
      ...{ source: blobSource(world), sink: blobSink(world), sums: memorySums(), timeouts: TIMEOUTS },
      router: createRouter(network),
      engines: [toyEngine(toyLayout(CHUNKS), new Map(), rng)],
      submitter: {
        submit: async (keyId, signed) => {
          const record = world.chain.keys.get(keyId)?.at(world.chain.latest) ?? null
          if (record?.status !== "proposed")
            throw new ProtocolError({ code: "CHAIN_REVERTED", message: "not proposed" })
          world.chain.submit(`activation by party ${machine.party}`, () =>
            guarded(world, () => activate(world, record, signed)),
          )
        },
      },
      evidence: async () => utf8ToBytes(`quote of ${machine.signer}`),
      checkEvidence: async (signer, evidence) => {
        if (new TextDecoder().decode(evidence) !== `quote of ${signer}`)
          throw new ProtocolError({ code: "QUOTE_SIGNATURE", message: "a quote of somebody else" })
      },
      onProgress: ({ phase }) => world.log(`${machine.party} is at ${phase}`),
      onContribution: () => {},
      onAbsorbed: () => {},
      keepTranscript: async () => {},
      onActiveKey,
      onEnd: (_, state) => {
        const cause = state.status === "aborted" ? state.cause.code : ""
        world.log(`${machine.party} ends its attempt: ${state.status} ${cause}`)
        if (state.status === "aborted" && cause === "")
          world.fail(new SimulationFailure("ceremony", `party ${machine.party} aborts without a cause`))
      },
    },
  ).start()
}

/** What a party stored is the key that the chain activated. */
function tell({ chain }: World, keyId: KeyId, { groupX }: GroupKey): void {
  const activation = chain.keys.get(keyId)?.at(chain.latest)?.activation ?? null
  if (activation?.groupX !== groupX)
    throw new SimulationFailure("ceremony", `a party serves another group key than that of key ${keyId}`)
}

/** Executors have no faults of their own: k of them are always there. */
function startExecutors(world: World): void {
  const layout = toyLayout(CHUNKS)
  for (const [at, { signer, secretKey }] of world.executors.entries()) {
    const process = startProcess(`executor ${at + 1}`)
    const random = world.random.fork(`executor/${at}`)
    const files: ToyFiles = new Map()
    const source = blobSource(world)
    const weather = { latency: 0, failures: 0, lag: 0 }
    const path = (keyId: string, chunk: number | string): string => `${keyId}/${chunk}`
    serveVerdicts({
      network: world.network.join(signer, process),
      scheduler: { after: (ms, task) => world.timeline.after(ms, process, task) },
      signal: new AbortController().signal,
      engines: [toyEngine(layout, files, random.fork("engine").bytes)],
      host: HOST,
      chain: viewOf(world.chain, process, weather, world.timeline, random),
      files: {
        async fetchChunk(keyId, chunk, digest, byteLength) {
          files.set(path(keyId, chunk), await source.get(digest, byteLength))
          return path(keyId, chunk)
        },
        readChunk: async (keyId, chunk) => files.get(path(keyId, chunk)) ?? new Uint8Array(),
        serverKeyPath: (keyId) => path(keyId, "server-key"),
        removeChunks: async () => {},
      },
      source,
      sink: blobSink(world),
      sign: async (digest) => signDigest(digest, secretKey),
      logger: silentLogger,
      onServerKey: async () => {},
      onRefusedKey: async () => {},
    })
  }
}

function propose(world: World, attempt: number): KeyRecord {
  const committee = committeeOf(world, attempt)
  const { n, t, keyId, parties } = committee
  const executors = world.executors.map(({ signer }) => signer)
  const seconds = GENESIS_SECONDS + BigInt(Math.floor(world.timeline.now / 1000))
  const proposal = {
    ...{ n, t, k: 2, parties, executors, parametersHash: TOY_PARAMETERS.hash, host: HOST },
    deadline: seconds + OPEN_SECONDS,
  }
  const record: KeyRecord = {
    ...{ keyId, nonce: BigInt(attempt), epoch: EPOCH, proposal, status: "proposed", activation: null },
  }
  world.chain.submit(`key ${attempt} is proposed`, () => world.chain.setKey(record))
  return record
}

/** Runs until all parties agree on the fate of the key. @returns its activation, null where there is none */
async function settle(world: World, attempts: Attempts, keyId: KeyId): Promise<KeyActivation | null> {
  const { chain, timeline, machines } = world
  const statusNow = () => chain.keys.get(keyId)?.at(chain.latest)?.status ?? "proposed"
  const stores = (party: number): boolean =>
    machines[party - 1]?.disk.peek(KEY_SHARE_KIND, seatName({ keyId, epoch: EPOCH })) !== null
  const ended = (): boolean => {
    const status = statusNow()
    if (status === "active") return machines.every(({ party }) => attempts.told.has(`${keyId} ${party}`))
    return status === "discarded" && machines.every(({ party }) => !stores(party))
  }
  await timeline.run(() => world.failure !== null || ended(), timeline.now + END_MS)
  if (world.failure === null && !ended())
    world.fail(
      new SimulationFailure("ceremony", `the parties do not agree on key ${keyId}, which is ${statusNow()}`),
    )
  return chain.keys.get(keyId)?.at(chain.latest)?.activation ?? null
}

/** Runs a key's ceremony to its end: nodes that serve, or a broken invariant. */
export async function ceremonyKey(world: World): Promise<Stage> {
  const { chain, timeline, plan } = world
  const attempts: Attempts = {
    nodes: world.machines.map((machine) =>
      createNode(world, machine, (platform, serve) => startKeyholder(world, platform, attempts, serve)),
    ),
    gateway: createGateway(world, () => {
      if (attempts.key === null)
        throw new SimulationFailure("ceremony", "a certificate before there is a key")
      return attempts.key
    }),
    told: new Set(),
    key: null,
  }
  const { nodes, gateway } = attempts
  const faults = createFaults(world, nodes)
  startExecutors(world)
  for (const node of nodes) node.start()
  const adopt = (attempt: number, activation: KeyActivation): void => {
    attempts.key = { committee: committeeOf(world, attempt), group: groupKeyOf(activation) }
  }
  const failed = (): boolean => world.failure !== null
  const statusOf = (keyId: KeyId) => chain.keys.get(keyId)?.at(chain.latest)?.status

  const first = propose(world, 1)
  faults.begin(plan.roughness)
  await timeline.run(failed, timeline.now + ROUGH_MS * (plan.healAt / 25_000))
  faults.heal()
  const seated = nodes.map((node) => node.lives)
  await timeline.run(() => failed() || statusOf(first.keyId) === "active", timeline.now + 120_000)
  // The guardian ends what did not come to its end; then it can never be activated.
  if (statusOf(first.keyId) !== "active")
    chain.submit("key 1 is discarded", () => {
      if (statusOf(first.keyId) !== "active")
        chain.setKey({ ...first, status: "discarded", activation: null })
    })
  const activation = await settle(world, attempts, first.keyId)
  if (activation !== null) adopt(1, activation)
  else if (!failed()) {
    world.log(`no key of the first attempt; lives ${seated.join()}`)
    const second = propose(world, 2)
    const retried = await settle(world, attempts, second.keyId)
    if (retried === null)
      world.fail(new SimulationFailure("ceremony", "an attempt in calm weather makes no key"))
    else adopt(2, retried)
  }
  if (attempts.key === null) throw world.failure ?? new SimulationFailure("ceremony", "no key")
  return { nodes, gateway, key: attempts.key, faults }
}
