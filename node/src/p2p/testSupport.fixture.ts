/** Fakes for tests of attested channels: a registry in a map and "quotes" that name their platform in clear. */
import { concatBytes, toHex } from "@twinlock/sdk/protocol/codec"
import { type Address, type Digest, parseAddress, parseDigest } from "@twinlock/sdk/protocol/ids"
import type { BlockRef, ChainView, NodeRecord } from "../chain/chainView.ts"
import type { PeerPolicy, Quoter } from "./attestedChannel.ts"

export const address = (byte: number): Address => parseAddress(toHex(new Uint8Array(20).fill(byte)))
export const digest = (byte: number): Digest => parseDigest(toHex(new Uint8Array(32).fill(byte)))
export const REGISTRY: Address = address(0xee)
export const CHAIN_ID = 31337

export const HEAD: BlockRef = { number: 10n, hash: digest(0xbb), timestamp: 1_800_000_000n }

export type FakeRegistry = Map<Address, NodeRecord>

export const record = (
  signer: Address,
  peerIdHash: Digest,
  changes: Partial<NodeRecord> = {},
): NodeRecord => ({
  signer,
  operator: address(0xaa),
  role: "keyholder",
  peerIdHash,
  configHash: digest(1),
  ppid: digest(2),
  liveUntil: HEAD.timestamp + 7n * 86_400n,
  revoked: false,
  ...changes,
})

export const fakeChain = (registry: FakeRegistry): Pick<ChainView, "head" | "node"> => ({
  head: async () => HEAD,
  node: async (signer) => registry.get(signer) ?? null,
})

const MARK = new TextEncoder().encode("fake quote:")

export const fakeQuoter: Quoter = { quote: async (reportData) => concatBytes(MARK, reportData) }

export const fakePolicy: PeerPolicy = {
  async appraise(quote, reportData) {
    if (toHex(quote) !== toHex(concatBytes(MARK, reportData))) throw new Error("report data differ")
  },
}
