/**
 * Enclaves that attest each other with real quotes of a simulated platform, a registry and an allow-list that the test
 * changes, and hosts that may do with every frame what they like.
 */
import { type Cvm, type CvmOptions, createCvm } from "@twinlock/devnet/agent/cvm"
import { devnetCompose } from "@twinlock/devnet/agent/image"
import { createKeyService } from "@twinlock/devnet/agent/keyService"
import { createPlatform, type Platform } from "@twinlock/devnet/platform/platform"
import { createCollateralSource } from "@twinlock/node/attestation/collateralSource"
import { createPeerPolicy, type PeerRequirements } from "@twinlock/node/attestation/peerPolicy"
import { channelQuoter, createQuoter } from "@twinlock/node/attestation/quoter"
import type { NodeRecord } from "@twinlock/node/chain/chainView"
import { createManualClock, type ManualClock } from "@twinlock/node/clock"
import {
  type AttestContext,
  attestAsInitiator,
  attestAsResponder,
  type Quoter,
} from "@twinlock/node/p2p/attestedChannel"
import { type FrameChannel, frameError } from "@twinlock/node/p2p/streamFrames"
import { address, CHAIN_ID, digest, REGISTRY, record } from "@twinlock/node/p2p/testSupport.fixture"
import { parseRootKey } from "@twinlock/sdk/attestation/chain"
import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import { DEFAULT_POLICY } from "@twinlock/sdk/attestation/policy"
import type { Role } from "@twinlock/sdk/attestation/role"
import { quoteVerifierUnder } from "@twinlock/sdk/attestation/underRoot"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Address, Digest } from "@twinlock/sdk/protocol/ids"

export const NOW = 1_791_158_400
export const DAY = 86_400

/** A trust domain with its registered identity. */
export type Enclave = {
  readonly cvm: Cvm
  readonly self: AttestContext["self"]
  readonly quoter: Quoter
}

export type Scene = {
  readonly platform: Platform
  readonly registry: Map<Address, NodeRecord>
  /** What the registry demands, as the test changes it. */
  readonly requirements: { -readonly [K in keyof PeerRequirements]: PeerRequirements[K] }
  /** What the collateral service serves. */
  readonly served: { collateral: CollateralBundle }
  /** Time of the caches behind the policies. */
  readonly clock: ManualClock
  /** The same number always gives the same signer and peer id; registered unless told otherwise. */
  enclave(
    byte: number,
    role?: Role,
    changes?: Partial<CvmOptions> & { readonly unregistered?: boolean },
  ): Enclave
  contextOf(enclave: Enclave, remotePeerIdHash: Digest, changes?: Partial<AttestContext>): AttestContext
  readonly policy: ReturnType<typeof createPeerPolicy>
}

export function createScene(): Scene {
  const platform = createPlatform({ seed: "channel adversary", now: NOW })
  const keys = createKeyService("channel adversary")
  const verifier = quoteVerifierUnder(parseRootKey(platform.root.key.publicKey))
  const clock = createManualClock(NOW * 1_000)
  const entryOf = (role: Role) =>
    createCvm({ platform, machine: "entry", role, compose: devnetCompose(role), keys }).entry
  const registry = new Map<Address, NodeRecord>()
  const served = { collateral: platform.collateral() }
  const requirements: Scene["requirements"] = {
    policy: { ...DEFAULT_POLICY, entries: [entryOf("keyholder"), entryOf("executor")] },
    floors: { tcb: 20, qe: 20 },
    time: NOW,
  }
  const policy = createPeerPolicy({
    verifier,
    collateral: createCollateralSource(
      { urls: ["scripted"] },
      { clock, verifier, metrics: null, fetchBundle: async () => served.collateral },
    ),
    requirements: async () => requirements,
  })
  let nonces = 0

  return {
    ...{ platform, registry, requirements, served, clock, policy },
    enclave(byte, role = "keyholder", changes = {}) {
      const { unregistered = false, ...options } = changes
      const cvm = createCvm({
        ...{ platform, machine: `machine ${byte}`, role, compose: devnetCompose(role), keys },
        ...options,
      })
      const self = { signer: address(byte), role, peerIdHash: digest(100 + byte) }
      if (!unregistered)
        registry.set(self.signer, record(self.signer, self.peerIdHash, { role, ppid: cvm.machine.ppid }))
      const quoter = channelQuoter(
        createQuoter({
          getQuote: async (data) => ({ quote: cvm.quote(data), eventLog: JSON.stringify(cvm.events()) }),
          getKey: () => Promise.reject(new Error("unused")),
          info: () => Promise.reject(new Error("unused")),
          version: () => Promise.reject(new Error("unused")),
        }),
      )
      return { cvm, self, quoter }
    },
    contextOf: (enclave, remotePeerIdHash, changes = {}) => ({
      ...{ self: enclave.self, quoter: enclave.quoter, remotePeerIdHash, policy },
      ...{ chainId: CHAIN_ID, registry: REGISTRY },
      chain: {
        head: async () => ({ number: 9n, hash: digest(9), timestamp: BigInt(requirements.time) }),
        node: async (signer) => registry.get(signer) ?? null,
      },
      random: (length) => new Uint8Array(length).fill(++nonces),
      ...changes,
    }),
  }
}

/** One end of a stream whose other end a host holds. */
export type End = FrameChannel & { close(): void }

function queue(): { push(frame: Uint8Array | null): void; pull(): Promise<Uint8Array> } {
  const frames: (Uint8Array | null)[] = []
  const waiting: (() => void)[] = []
  return {
    push(frame) {
      frames.push(frame)
      waiting.shift()?.()
    },
    async pull() {
      while (frames.length === 0) await new Promise<void>((resolve) => waiting.push(resolve))
      const frame = frames.shift()
      if (frame == null) throw frameError("FRAME_SHORT", "closed")
      return frame
    },
  }
}

export function streamPair(): readonly [End, End] {
  const [there, back] = [queue(), queue()]
  return [
    { send: async (frame) => there.push(frame), receive: back.pull, close: () => there.push(null) },
    { send: async (frame) => back.push(frame), receive: there.pull, close: () => back.push(null) },
  ]
}

/** How a handshake ended at one side: "attested" or the code of its error. */
export async function outcome(run: Promise<unknown>, end: End): Promise<string> {
  try {
    await run
    return "attested"
  } catch (error) {
    if (!isProtocolError(error)) throw error
    return error.detail.code
  } finally {
    end.close()
  }
}

/** The whole story behind a code: the messages of an error and its causes. */
export async function reasonOf(run: Promise<unknown>, end: End): Promise<string> {
  try {
    await run
    return "attested"
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    end.close()
  }
}

const nothing = async (): Promise<void> => {}

/** Two honest ends with nobody between. @returns what each side ends with, the dialling one first. */
export async function handshake(
  initiator: AttestContext,
  responder: AttestContext,
): Promise<readonly string[]> {
  const [left, right] = streamPair()
  return Promise.all([
    reasonOf(attestAsInitiator(left, initiator, nothing), left),
    reasonOf(attestAsResponder(right, responder, nothing), right),
  ])
}

export { attestAsInitiator, attestAsResponder, nothing }
