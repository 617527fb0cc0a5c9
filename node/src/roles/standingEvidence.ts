/**
 * Evidence of standing inside a ceremony's transcript: a fresh quote over the node's registration binding and a recent
 * agreed block, so that whoever reads the transcript later finds which enclave held which seat.
 */
import { registrationReportData } from "@twinlock/sdk/attestation/reportData"
import { concatBytes, fromHex, Reader, Writer } from "@twinlock/sdk/protocol/codec"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Address, parseDigest } from "@twinlock/sdk/protocol/ids"
import { encodeChannelEvidence } from "../attestation/channelEvidence.ts"
import type { NodeRecord } from "../chain/chainView.ts"
import type { NodeContext } from "../nodeContext.ts"

export type StandingEvidenceErrorCode =
  /** the signer is not registered at the agreed head. */
  | "EVIDENCE_UNREGISTERED"
  /** bytes that are no evidence. */
  | "EVIDENCE_MALFORMED"
  /** the quote is over a block that is too old, or not final yet: made for another occasion. */
  | "EVIDENCE_STALE"

export type StandingEvidence = {
  evidence(): Promise<Uint8Array>
  /** @throws EVIDENCE_*, and the codes of a quote's appraisal */
  checkEvidence(signer: Address, evidence: Uint8Array): Promise<void>
}

const MAX_BYTES = 128 * 1024
/** Blocks between the challenge in a quote and the agreed head of whoever reads it. */
const MAX_AGE = 7_200n
/** A peer's agreed head may be a little newer. */
const MAX_AHEAD = 64n
const refuse = (code: StandingEvidenceErrorCode, message: string) => new ProtocolError({ code, message })

export function createStandingEvidence(
  context: Pick<NodeContext, "chain" | "config" | "identity" | "quoter" | "peerPolicy">,
): StandingEvidence {
  const { chain, config, identity, quoter, peerPolicy } = context

  const bindingOf = (
    { signer, operator, role, peerIdHash, configHash }: NodeRecord,
    challengeBlock: bigint,
    challengeBlockHash: ReturnType<typeof parseDigest>,
  ) =>
    registrationReportData({
      ...{ signer, operator, role, peerIdHash, configHash, challengeBlock, challengeBlockHash },
      chainId: BigInt(config.chain.id),
      nodeRegistry: config.contracts.nodeRegistry,
    })

  async function recordOf(signer: Address): Promise<NodeRecord> {
    const record = await chain.node(signer, await chain.head())
    if (record === null) throw refuse("EVIDENCE_UNREGISTERED", `${signer} is not registered`)
    return record
  }

  return {
    async evidence() {
      const [record, head] = await Promise.all([recordOf(identity.signer), chain.head()])
      const quote = await quoter.quote(bindingOf(record, head.number, head.hash))
      return concatBytes(
        new Writer().uint(8, Number(head.number)).raw(fromHex(head.hash)).done(),
        encodeChannelEvidence(quote),
      )
    },
    async checkEvidence(signer, evidence) {
      if (evidence.length < 41 || evidence.length > MAX_BYTES)
        throw refuse("EVIDENCE_MALFORMED", `evidence of ${evidence.length} bytes`)
      const reader = new Reader(evidence)
      const number = BigInt(reader.uint(8))
      const hash = parseDigest(reader.hex(32))
      const quote = reader.take(evidence.length - 40)
      const head = await chain.head()
      // The block's number and hash are inside the quoted report data: an older quote cannot claim a newer block.
      if (number > head.number + MAX_AHEAD || number + MAX_AGE < head.number)
        throw refuse(
          "EVIDENCE_STALE",
          `the quote of ${signer} is over block ${number}, the agreed head is ${head.number}`,
        )
      const record = await recordOf(signer)
      await peerPolicy.appraise(quote, bindingOf(record, number, hash), record)
    },
  }
}
