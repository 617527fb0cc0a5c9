/**
 * Wire form of a party's evidence of standing (protocol §4, round "standing"): a quote over its registration and a recent
 * block, and the collateral that judged it, so that whoever reads the transcript later can judge the quote as of then.
 * Public data; nothing in here is believed before the quote binds it and the collateral's signatures are checked.
 */
import { type CollateralBundle, parseCollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import { type RegistrationBinding, registrationReportData } from "@twinlock/sdk/attestation/reportData"
import { Reader, utf8ToBytes, Writer } from "@twinlock/sdk/protocol/codec"
import type { SigningDomain } from "@twinlock/sdk/protocol/eip712"
import { isProtocolError, ProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Address, parseAddress, parseDigest } from "@twinlock/sdk/protocol/ids"

export type StandingProofErrorCode =
  /** bytes that are no evidence. */
  "EVIDENCE_MALFORMED"

/** What the quote's report data binds, beside the signer and the chain that the reader knows. */
export type StandingBinding = Omit<RegistrationBinding, "chainId" | "signer" | "role">

export type StandingProof = StandingBinding & {
  /** Chain time of the challenge block, unix seconds: when the quote was made and its collateral held. */
  readonly time: number
  /** Quote, event log and configuration document (`attestation/channelEvidence.ts`). */
  readonly evidence: Uint8Array
  readonly collateral: CollateralBundle
}

export const MAX_STANDING_BYTES: number = 512 * 1024
const MAX_EVIDENCE_BYTES = 128 * 1024
const MAX_COLLATERAL_BYTES = 384 * 1024
const VERSION = 1

export const encodeStandingProof = (proof: StandingProof): Uint8Array =>
  new Writer()
    .uint(1, VERSION)
    .hex(proof.nodeRegistry)
    .hex(proof.operator)
    .hex(proof.peerIdHash)
    .hex(proof.configHash)
    .uint(8, Number(proof.challengeBlock))
    .hex(proof.challengeBlockHash)
    .uint(8, proof.time)
    .bytes(proof.evidence)
    .bytes(utf8ToBytes(JSON.stringify(parseCollateralBundle(proof.collateral))))
    .done()

/** @throws EVIDENCE_MALFORMED */
export function decodeStandingProof(bytes: Uint8Array): StandingProof {
  try {
    const reader = new Reader(bytes)
    if (reader.uint(1) !== VERSION) throw new RangeError("unknown version")
    const proof = {
      nodeRegistry: parseAddress(reader.hex(20)),
      operator: parseAddress(reader.hex(20)),
      peerIdHash: parseDigest(reader.hex(32)),
      configHash: parseDigest(reader.hex(32)),
      challengeBlock: BigInt(reader.uint(8)),
      challengeBlockHash: parseDigest(reader.hex(32)),
      time: reader.uint(8),
      evidence: reader.bytes(MAX_EVIDENCE_BYTES),
      collateral: parseCollateralBundle(
        JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(reader.bytes(MAX_COLLATERAL_BYTES))),
      ),
    }
    reader.end()
    // Every reader of the transcript must see the same collateral: it has one spelling.
    if (Buffer.compare(encodeStandingProof(proof), bytes) !== 0) throw new RangeError("another spelling")
    return proof
  } catch (cause) {
    const why = isProtocolError(cause) ? cause.detail.message : "it does not decode"
    throw new ProtocolError(
      {
        code: "EVIDENCE_MALFORMED" satisfies StandingProofErrorCode,
        message: `evidence of standing, ${bytes.length} bytes: ${why}`,
      },
      { cause },
    )
  }
}

/** The report data that the quote must carry. */
export const standingReportData = (
  proof: StandingBinding,
  signer: Address,
  { chainId }: Pick<SigningDomain, "chainId">,
): Uint8Array =>
  registrationReportData({
    chainId,
    signer,
    role: "keyholder",
    nodeRegistry: proof.nodeRegistry,
    operator: proof.operator,
    peerIdHash: proof.peerIdHash,
    configHash: proof.configHash,
    challengeBlock: proof.challengeBlock,
    challengeBlockHash: proof.challengeBlockHash,
  })
