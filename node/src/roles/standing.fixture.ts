/** Enclaves of a simulated platform that show and check evidence of standing. */
import { createCvm } from "@twinlock/devnet/agent/cvm"
import { devnetCompose } from "@twinlock/devnet/agent/image"
import { createKeyService } from "@twinlock/devnet/agent/keyService"
import { createPlatform } from "@twinlock/devnet/platform/platform"
import { createDevnetQuoteVerifier } from "@twinlock/sdk/attestation/devnetRoot"
import { DEFAULT_POLICY } from "@twinlock/sdk/attestation/policy"
import { rootIdOf } from "@twinlock/sdk/attestation/underRoot"
import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { type Address, parseAddress } from "@twinlock/sdk/protocol/ids"
import { createPeerPolicy } from "../attestation/peerPolicy.ts"
import { createQuoter } from "../attestation/quoter.ts"
import type { BlockRef, NodeRecord } from "../chain/chainView.ts"
import { createStandingEvidence, type StandingEvidence } from "./standingEvidence.ts"

const NOW = 1_791_158_400
export const REGISTRY: Address = parseAddress(`0x${"1e".repeat(20)}`)
const platform = createPlatform({ seed: "standing evidence", now: NOW })
const keys = createKeyService("standing evidence")
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
  readonly record: NodeRecord
  head: BlockRef
  /** What the registry says; null where the signer is not registered. */
  registered: NodeRecord | null
}

/** One registered node. @param machine its enclave's name */
export function sceneOf(signer: Address, machine = "alice"): Scene {
  const cvm = createCvm({ platform, machine, role: "keyholder", compose: devnetCompose("keyholder"), keys })
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
  const scene: Scene = {
    standing: createStandingEvidence({
      chain: { head: async () => scene.head, node: async () => scene.registered },
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
          collateralFor: async (_, terms) => verifier.verifyCollateral(platform.collateral(), terms),
        },
        requirements: async () => ({
          policy: { ...DEFAULT_POLICY, entries: [cvm.entry] },
          floors,
          time: Number(scene.head.timestamp),
        }),
      }),
    } as never),
    record,
    head: blockAt(10_000n),
    registered: record,
  }
  return scene
}
