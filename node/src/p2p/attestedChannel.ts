/**
 * Mutual attestation of a connection, `/twinlock/attest/1` (protocol §2).
 *
 * Noise proves the peer ids; this handshake proves that each id lives in an enclave that the own policy accepts and
 * that the registry knows. Each side quotes over the other's fresh nonce and both peer ids in order, so a quote can
 * be neither replayed, nor reflected, nor passed on to a third peer:
 *
 *   initiator → hello(nonce)            responder → hello(nonce), if the registry knows the initiator
 *   initiator → evidence                responder appraises, serves from here on → evidence
 *   initiator appraises, serves and uses from here on → accept          responder uses from here on
 *
 * Either side may answer `refuse(code)` instead. The caller closes the connection when a function here throws.
 */
import { channelReportData } from "@twinlock/sdk/attestation/reportData"
import { toHex } from "@twinlock/sdk/protocol/codec"
import { isProtocolError, ProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Address, type Digest, parseDigest } from "@twinlock/sdk/protocol/ids"
import type { ChainView, NodeRecord, NodeRole } from "../chain/chainView.ts"
import {
  type AttestMessage,
  decodeAttestMessage,
  encodeAttestMessage,
  type Hello,
  MAX_ATTEST_FRAME,
  NONCE_BYTES,
} from "./attestMessages.ts"
import type { FrameChannel } from "./streamFrames.ts"

/** Makes quotes of this enclave. */
export type Quoter = {
  /** @param reportData 64 bytes. @returns the quote with what a peer needs to appraise it. */
  quote(reportData: Uint8Array): Promise<Uint8Array>
}

/** What this node accepts from peers. */
export type PeerPolicy = {
  /**
   * Resolves if the quote verifies under the node's own policy, carries exactly `reportData`, comes from the platform
   * of `record` and shows an image and compose file that the allow-list has for its role; throws otherwise. Which of
   * that role's entries the peer registered with is not compared: a node may run any of them.
   */
  appraise(quote: Uint8Array, reportData: Uint8Array, record: NodeRecord): Promise<unknown>
}

export type AttestErrorCode =
  | "ATTEST_OTHER_NETWORK"
  | "ATTEST_UNREGISTERED"
  | "ATTEST_REVOKED"
  | "ATTEST_WRONG_PEER"
  | "ATTEST_WRONG_ROLE"
  | "ATTEST_SELF"
  | "ATTEST_QUOTE_REFUSED"
  | "ATTEST_REFUSED_BY_PEER"
  | "ATTEST_OUT_OF_ORDER"

export type AttestContext = {
  readonly self: { readonly signer: Address; readonly role: NodeRole; readonly peerIdHash: Digest }
  /** From the connection's noise handshake. */
  readonly remotePeerIdHash: Digest
  readonly chainId: number
  readonly registry: Address
  readonly chain: Pick<ChainView, "head" | "node">
  readonly quoter: Quoter
  readonly policy: PeerPolicy
  readonly random: (length: number) => Uint8Array
  /** Called once the registry is known to bind the peer id to the signer of the peer's hello. */
  readonly onRegistered?: (record: NodeRecord) => void
}

type OnServe = (record: NodeRecord) => Promise<void>

const fail = (code: AttestErrorCode, message: string, cause?: unknown): ProtocolError =>
  new ProtocolError({ code, message }, { cause })

/**
 * Runs the handshake as the side that dialled. @returns the peer's registration.
 * @param onServe called as soon as the peer's quote is accepted: from then on its requests may be answered.
 */
export async function attestAsInitiator(
  channel: FrameChannel,
  context: AttestContext,
  onServe: OnServe,
): Promise<NodeRecord> {
  return refusing(channel, async () => {
    const own = ownHello(context)
    await send(channel, own)
    const theirs = await expect(channel, "hello")
    const record = await checkHello(theirs, context)
    await send(channel, { kind: "evidence", quote: await ownQuote(theirs, context) })
    await appraise(await expect(channel, "evidence"), own, record, context)
    await onServe(record)
    await send(channel, { kind: "accept" })
    return record
  })
}

/**
 * Runs the handshake as the side that was dialled. @returns the peer's registration.
 * @param onServe called as soon as the peer's quote is accepted: its requests may arrive before the last frame here.
 */
export async function attestAsResponder(
  channel: FrameChannel,
  context: AttestContext,
  onServe: OnServe,
): Promise<NodeRecord> {
  return refusing(channel, async () => {
    const theirs = await expect(channel, "hello")
    const record = await checkHello(theirs, context)
    const own = ownHello(context)
    await send(channel, own)
    await appraise(await expect(channel, "evidence"), own, record, context)
    const quote = await ownQuote(theirs, context)
    await onServe(record)
    await send(channel, { kind: "evidence", quote })
    await expect(channel, "accept")
    return record
  })
}

/**
 * The registration that binds `signer` to the peer id of the connection, unrevoked at the agreed head.
 * A lapsed one is returned: whether it may be used is the caller's question.
 * @throws ATTEST_UNREGISTERED, ATTEST_REVOKED, ATTEST_WRONG_PEER
 */
export async function readRegistration(
  chain: Pick<ChainView, "head" | "node">,
  signer: Address,
  peerIdHash: Digest,
): Promise<NodeRecord> {
  const record = await chain.node(signer, await chain.head())
  if (record === null) throw fail("ATTEST_UNREGISTERED", `${signer} is not registered`)
  if (record.revoked) throw fail("ATTEST_REVOKED", `${signer} is revoked`)
  if (record.peerIdHash !== peerIdHash)
    throw fail("ATTEST_WRONG_PEER", `${signer} is registered with another peer id than ${peerIdHash}`)
  return record
}

const ownHello = ({ self, chainId, registry, random }: AttestContext): Hello => ({
  kind: "hello",
  chainId,
  registry,
  signer: self.signer,
  role: self.role,
  nonce: random(NONCE_BYTES),
})

async function checkHello(hello: Hello, context: AttestContext): Promise<NodeRecord> {
  if (hello.chainId !== context.chainId || hello.registry !== context.registry)
    throw fail("ATTEST_OTHER_NETWORK", `peer is of chain ${hello.chainId}, registry ${hello.registry}`)
  if (hello.signer === context.self.signer) throw fail("ATTEST_SELF", "the peer claims this node's signer")
  const record = await readRegistration(context.chain, hello.signer, context.remotePeerIdHash)
  if (record.role !== hello.role)
    throw fail("ATTEST_WRONG_ROLE", `${hello.signer} is registered as ${record.role}, says ${hello.role}`)
  context.onRegistered?.(record)
  return record
}

function ownQuote(theirs: Hello, { self, remotePeerIdHash, chainId, registry, quoter }: AttestContext) {
  return quoter.quote(
    channelReportData({
      ownPeerHash: self.peerIdHash,
      otherPeerHash: remotePeerIdHash,
      otherNonce: parseDigest(toHex(theirs.nonce)),
      role: self.role,
      chainId: BigInt(chainId),
      nodeRegistry: registry,
    }),
  )
}

async function appraise(
  evidence: { readonly quote: Uint8Array },
  own: Hello,
  record: NodeRecord,
  { self, remotePeerIdHash, chainId, registry, policy }: AttestContext,
): Promise<void> {
  const reportData = channelReportData({
    ownPeerHash: remotePeerIdHash,
    otherPeerHash: self.peerIdHash,
    otherNonce: parseDigest(toHex(own.nonce)),
    role: record.role,
    chainId: BigInt(chainId),
    nodeRegistry: registry,
  })
  try {
    await policy.appraise(evidence.quote, reportData, record)
  } catch (error) {
    const reason = isProtocolError(error) ? error.message : "the policy failed"
    throw fail("ATTEST_QUOTE_REFUSED", `quote of ${record.signer} refused: ${reason}`, error)
  }
}

const send = (channel: FrameChannel, message: AttestMessage): Promise<void> =>
  channel.send(encodeAttestMessage(message))

async function expect<K extends AttestMessage["kind"]>(
  channel: FrameChannel,
  kind: K,
): Promise<Extract<AttestMessage, { kind: K }>> {
  const message = decodeAttestMessage(await channel.receive(MAX_ATTEST_FRAME))
  if (message.kind === "refuse") throw fail("ATTEST_REFUSED_BY_PEER", `the peer refused: ${message.code}`)
  if (message.kind !== kind) throw fail("ATTEST_OUT_OF_ORDER", `want ${kind}, got ${message.kind}`)
  return message as Extract<AttestMessage, { kind: K }>
}

/** Tells the peer the code of a failure before passing it on. */
async function refusing(channel: FrameChannel, run: () => Promise<NodeRecord>): Promise<NodeRecord> {
  try {
    return await run()
  } catch (error) {
    const code = isProtocolError(error) ? error.detail.code : "ATTEST_FAILED"
    if (code !== ("ATTEST_REFUSED_BY_PEER" satisfies AttestErrorCode))
      await send(channel, { kind: "refuse", code }).catch(() => {})
    throw error
  }
}
