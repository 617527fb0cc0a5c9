/** Enclaves of a simulated platform that show and check evidence of standing. */
import { createCvm } from "@twinlock/devnet/agent/cvm"
import { devnetCompose } from "@twinlock/devnet/agent/image"
import { createKeyService } from "@twinlock/devnet/agent/keyService"
import { createPlatform } from "@twinlock/devnet/platform/platform"
import type { QuoteKnobs } from "@twinlock/devnet/platform/quote"
import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import { createDevnetQuoteVerifier } from "@twinlock/sdk/attestation/devnetRoot"
import { type AllowListEntry, DEFAULT_POLICY } from "@twinlock/sdk/attestation/policy"
import { rootIdOf } from "@twinlock/sdk/attestation/underRoot"
import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { type Address, parseAddress } from "@twinlock/sdk/protocol/ids"
import { encodeChannelEvidence } from "../attestation/channelEvidence.ts"
import { createPeerPolicy } from "../attestation/peerPolicy.ts"
import { createQuoter } from "../attestation/quoter.ts"
import type { BlockRef, NodeRecord } from "../chain/chainView.ts"
import { createManualClock, type ManualClock } from "../clock.ts"
import { createStandingEvidence, type StandingEvidence } from "./standingEvidence.ts"

const NOW = 1_791_158_400
export const REGISTRY: Address = parseAddress(`0x${"1e".repeat(20)}`)
const platform = createPlatform({ seed: "standing evidence", now: NOW })
const keys = createKeyService("standing evidence")
/** Intel's word on the simulated platform, at other levels where asked for. */
export const collateralOf: typeof platform.collateral = (options) => platform.collateral(options)
export const rootKey: Uint8Array = platform.root.key.publicKey
const verifier = createDevnetQuoteVerifier({ chainId: 31_337n, rootKey, contractRootId: rootIdOf(rootKey) })
const floors = { tcb: 20, qe: 20 }

export const blockAt = (number: bigint): BlockRef => ({
  number,
  hash: taggedHash("block", number),
  timestamp: BigInt(NOW) + number,
})

export type Scene = {
  readonly standing: StandingEvidence
  readonly clock: ManualClock
  readonly record: NodeRecord
  /** On the allow-list. */
  readonly entry: AllowListEntry
  head: BlockRef
  /** What the registry says at a block; null where the signer is not registered. */
  registered: (at: BlockRef) => NodeRecord | null
  /** What the chain has at a number. */
  block: (number: bigint) => BlockRef
  /** Evidence of a quote over any report data, or of a machine that differs. */
  readonly quoted: (reportData: Uint8Array, knobs?: QuoteKnobs) => Uint8Array
  /** By whose collateral quotes are judged, and which comes along. */
  collateral: CollateralBundle
}

/** One registered node. @param machine its enclave's name */
export function sceneOf(signer: Address, machine = "alice"): Scene {
  const cvmWith = (quoteKnobs: QuoteKnobs) =>
    createCvm({ platform, machine, role: "keyholder", compose: devnetCompose("keyholder"), keys, quoteKnobs })
  const cvm = cvmWith({})
  const record: NodeRecord = {
    signer,
    operator: parseAddress(`0x${"0a".repeat(20)}`),
    role: "keyholder",
    peerIdHash: taggedHash("peer", signer),
    configHash: taggedHash("config"),
    ppid: cvm.machine.ppid,
    liveUntil: 2_000_000_000n,
    revoked: false,
  }
  const unused = () => Promise.reject(new Error("unused"))
  const clock = createManualClock()
  const scene: Scene = {
    clock,
    standing: createStandingEvidence({
      chain: {
        head: async () => scene.head,
        block: async (number: bigint) => scene.block(number),
        node: async (_: Address, at: BlockRef) => scene.registered(at),
      },
      ...{ clock, scheduler: clock },
      config: { chain: { id: 31_337 }, contracts: { nodeRegistry: REGISTRY } },
      identity: { signer },
      quoter: createQuoter({
        getQuote: async (data) => ({ quote: cvm.quote(data), eventLog: JSON.stringify(cvm.events()) }),
        ...{ getKey: unused, info: unused, version: unused },
      }),
      verifier,
      peerPolicy: createPeerPolicy({
        verifier,
        collateral: {
          collateralFor: async (_, terms) => verifier.verifyCollateral(scene.collateral, terms),
        },
        requirements: async () => ({
          policy: { ...DEFAULT_POLICY, entries: [cvm.entry] },
          floors,
          time: Number(scene.head.timestamp),
        }),
      }),
    } as never),
    record,
    entry: cvm.entry,
    quoted(reportData, knobs = {}) {
      const other = cvmWith(knobs)
      const eventLog = JSON.stringify(other.events())
      return encodeChannelEvidence({
        quote: other.quote(reportData),
        ...{ eventLog, configDocument: new Uint8Array() },
      })
    },
    head: blockAt(10_000n),
    registered: () => record,
    block: blockAt,
    collateral: platform.collateral(),
  }
  return scene
}
