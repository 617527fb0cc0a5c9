/**
 * Cuts a quote into the parts that the contracts take, by position alone: whatever is wrong with the quote, they get
 * to see it. `evidenceOf`, which honest nodes use, would refuse most of these quotes before that.
 */
import type { Evidence } from "@twinlock/sdk/attestation/evidence"
import { concatBytes, keccak, toHex } from "@twinlock/sdk/protocol/codec"
import type { AttestationInput } from "./corpus/case.ts"

/** Said of inputs that cannot be put into calldata: the contract is never asked. */
export const NOT_SUBMITTABLE = "not submittable"

export type ContractEvidence = { readonly evidence: Evidence; readonly authority: Uint8Array }

const HEADER = 48
const TD10 = 584
const TD15 = 648

const u16 = (bytes: Uint8Array, at: number) => (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)
const u32 = (bytes: Uint8Array, at: number) => u16(bytes, at) + u16(bytes, at + 2) * 0x10000

/** Every certificate block of a text, whatever stands between the blocks. */
export function pemBlocks(text: string): readonly Uint8Array[] {
  const blocks = text.matchAll(/-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----/g)
  return Array.from(blocks, ([, base64 = ""]) => new Uint8Array(Buffer.from(base64, "base64")))
}

/** The P-256 key of a certificate that may be malformed elsewhere: x ‖ y after the point's prefix. */
function keyOf(certificate: Uint8Array): Uint8Array {
  const at = Buffer.from(certificate).indexOf(Buffer.from("03420004", "hex"))
  return certificate.subarray(at + 4, at + 68)
}

/** The parts, or null where the quote is too short for them or has no certificates. */
export function cutEvidence(input: AttestationInput): ContractEvidence | null {
  if (input.subject.kind === "evidence") {
    const [authority] = pemBlocks(input.collateral.pck_crl_issuer_chain)
    return authority ? { evidence: input.subject.evidence, authority } : null
  }
  const { bytes } = input.subject
  const bodyLength = u16(bytes, 0) === 5 ? 6 + Math.min(u32(bytes, HEADER + 2), TD15 + 1) : TD10
  const auth = HEADER + bodyLength + 4
  const report = auth + 128 + 6
  const qeAuth = report + 384 + 64 + 2
  const chain = qeAuth + u16(bytes, qeAuth - 2) + 6
  const [pckLeaf, authority] = pemBlocks(Buffer.from(bytes).toString("latin1"))
  if (!pckLeaf || !authority) return null
  const evidence = {
    quote: bytes.slice(0, HEADER + bodyLength),
    auth: concatBytes(
      bytes.slice(auth, auth + 128),
      bytes.slice(report, qeAuth - 2),
      bytes.slice(qeAuth, chain - 6),
    ),
    pckLeaf,
    caId: keccak(keyOf(authority)),
    configDocument: input.configDocument,
  }
  return { evidence, authority }
}

/** r and s of a signature of 128 hex characters, or null. */
export function scalarsOf(signature: string): readonly [r: string, s: string] | null {
  if (!/^[0-9a-fA-F]{128}$/.test(signature)) return null
  return [`0x${signature.slice(0, 64)}`, `0x${signature.slice(64)}`]
}

/** Bytes of hex without 0x as calldata, or null. */
export const bytesOf = (hex: string): string | null =>
  /^([0-9a-fA-F]{2})*$/.test(hex) ? toHex(Buffer.from(hex, "hex")) : null
