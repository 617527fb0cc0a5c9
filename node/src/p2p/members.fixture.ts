/** Nodes on loopback with real libp2p and fake quotes: members of a network, and peers that attest nothing. */
import { randomBytes } from "node:crypto"
import { noise } from "@chainsafe/libp2p-noise"
import { yamux } from "@chainsafe/libp2p-yamux"
import type { Libp2p, PrivateKey, Stream } from "@libp2p/interface"
import { tcp } from "@libp2p/tcp"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Address } from "@twinlock/sdk/protocol/ids"
import { createLibp2p } from "libp2p"
import { createManualClock, type ManualClock } from "../clock.ts"
import { Secret } from "../secret.ts"
import { type Fields, type Logger, silentLogger } from "../telemetry/logger.ts"
import { createMetrics } from "../telemetry/metrics.ts"
import { createP2pNode, P2P_DEFAULTS, type P2pDeps, type P2pNode } from "./libp2pNetwork.ts"
import { peerIdentity } from "./peerIdentity.ts"
import {
  address,
  CHAIN_ID,
  type FakeRegistry,
  fakeChain,
  fakePolicy,
  fakeQuoter,
  REGISTRY,
  record,
} from "./testSupport.fixture.ts"

export const alice: Address = address(1)
export const bob: Address = address(2)
export const carol: Address = address(3)
export const hello: Uint8Array = new Uint8Array([1, 2, 3])

export type Member = {
  readonly node: P2pNode
  readonly clock: ManualClock
  readonly signer: Address
  /** Resolves once the member has refused an attestation with this code. */
  refused(code: string): Promise<void>
}

const running: { stop(): Promise<void> }[] = []
/** For the end of each test. */
export async function stopMembers(): Promise<void> {
  await Promise.all(running.splice(0).map((node) => node.stop()))
}

/** A started node on loopback; registers itself unless told otherwise. */
export async function member(
  signer: Address,
  registry: FakeRegistry,
  peers: readonly Member[] = [],
  changes: Partial<P2pDeps> & { readonly unregistered?: boolean; readonly listen?: readonly string[] } = {},
): Promise<Member> {
  const identity = changes.identity ?? (await peerIdentity(new Secret(new Uint8Array(randomBytes(32)))))
  if (!changes.unregistered && !registry.has(signer))
    registry.set(signer, record(signer, identity.peerIdHash))
  const clock = createManualClock()
  const refusals = refusalLog()
  const node = await createP2pNode(
    {
      ...P2P_DEFAULTS,
      listen: changes.listen ?? ["/ip4/127.0.0.1/tcp/0"],
      announce: [],
      peers: peers.map((peer) => ({ signer: peer.signer, multiaddr: peer.node.addresses()[0] ?? "" })),
    },
    {
      identity,
      self: { signer, role: "keyholder" },
      chainId: CHAIN_ID,
      registry: REGISTRY,
      chain: fakeChain(registry),
      quoter: fakeQuoter,
      policy: fakePolicy,
      random: (length) => new Uint8Array(randomBytes(length)),
      clock,
      scheduler: clock,
      logger: refusals.logger,
      metrics: createMetrics(),
      ...changes,
    },
  )
  node.network.onRequest("/test/echo/1", 1 << 20, async (_from, payload) => payload)
  await node.start()
  running.push(node)
  return { node, clock, signer, refused: refusals.seen }
}

/** Resolves once `condition` holds; asked again after every change of the node's peers and topics. */
export function when({ node }: Member, condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const check = (): void => {
      if (!condition()) return
      cancel()
      resolve()
    }
    const cancel = node.onChange(check)
    check()
  })
}

export const connected = (of: Member, ...signers: Address[]): Promise<void> =>
  when(of, () => signers.every((signer) => of.node.network.peers().includes(signer)))

/** Bob listens; Alice (lower signer) dials at once. */
export async function couple(registry: FakeRegistry = new Map()): Promise<[Member, Member]> {
  const b = await member(bob, registry)
  const a = await member(alice, registry, [b])
  await Promise.all([connected(a, bob), connected(b, alice)])
  return [a, b]
}

/** A logger that remembers the codes of refused attestations. */
function refusalLog(): { readonly logger: Logger; seen(code: string): Promise<void> } {
  const codes = new Set<string>()
  const waiting = new Set<() => void>()
  const note = ({ err }: Fields): void => {
    if (isProtocolError(err)) codes.add(err.detail.code)
    for (const wake of waiting) wake()
  }
  return {
    logger: { ...silentLogger, warn: note },
    seen: (code) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (codes.has(code)) resolve()
        }
        waiting.add(check)
        check()
      }),
  }
}

/** Resolves once the member waits for an attestation: the connection has reached it. */
export async function deadlineOf({ clock }: Member): Promise<void> {
  while (!clock.pending().includes(clock.now() + P2P_DEFAULTS.attestTimeoutMs))
    await new Promise((resolve) => setImmediate(resolve))
}

/** How a stream ended. */
export const ended = (stream: Stream): Promise<string> =>
  new Promise((resolve) => {
    if (stream.status !== "open") resolve(stream.status)
    stream.addEventListener("close", () => resolve(stream.status))
  })

/** A libp2p node without attestation. */
export async function plainPeer(privateKey?: PrivateKey): Promise<Libp2p> {
  const peer = await createLibp2p({
    ...(privateKey === undefined ? {} : { privateKey }),
    addresses: { listen: ["/ip4/127.0.0.1/tcp/0"] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
  })
  running.push({ stop: async () => peer.stop() })
  return peer
}
