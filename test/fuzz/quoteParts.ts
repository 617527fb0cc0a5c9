/** A quote taken apart by its offsets and put together again, with lengths that may lie and signatures made anew. */

import { sha256 } from "@noble/hashes/sha2.js"
import type { SigningKey } from "@twinlock/devnet/platform/keys"
import { toPem } from "@twinlock/devnet/platform/pki"
import { utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { joined, withBytes } from "./byteMutation.ts"

export type QuoteParts = {
  /** 48 bytes. */
  readonly header: Uint8Array
  /** Type and length of the body; version 5 only. */
  readonly announcement: Uint8Array
  readonly body: Uint8Array
  readonly signature: Uint8Array
  readonly attestationKey: Uint8Array
  readonly qeReport: Uint8Array
  readonly qeReportSignature: Uint8Array
  readonly qeAuth: Uint8Array
  /** PEM with what follows it. */
  readonly chain: Uint8Array
  readonly padding: Uint8Array
}

/** Little-endian lengths and types that the layout carries; each may be overridden. */
export type Lies = {
  readonly authLength?: Uint8Array
  readonly outerType?: Uint8Array
  readonly outerLength?: Uint8Array
  readonly qeAuthLength?: Uint8Array
  readonly innerType?: Uint8Array
  readonly innerLength?: Uint8Array
}

const u16 = (value: number) => Uint8Array.of(value & 0xff, (value >> 8) & 0xff)
const u32 = (value: number) => joined(u16(value & 0xffff), u16(value >>> 16))

/** Takes a well-formed quote apart. */
export function partsOf(quote: Uint8Array): QuoteParts {
  const view = new DataView(quote.buffer, quote.byteOffset, quote.byteLength)
  const version5 = quote[0] === 5
  const bodyAt = version5 ? 54 : 48
  const authAt = bodyAt + (version5 ? view.getUint32(50, true) : 584)
  const auth = quote.subarray(authAt + 4, authAt + 4 + view.getUint32(authAt, true))
  const qe = auth.subarray(134)
  const qeAuthLength = new DataView(qe.buffer, qe.byteOffset).getUint16(448, true)
  return {
    header: quote.slice(0, 48),
    announcement: quote.slice(48, bodyAt),
    body: quote.slice(bodyAt, authAt),
    signature: auth.slice(0, 64),
    attestationKey: auth.slice(64, 128),
    qeReport: qe.slice(0, 384),
    qeReportSignature: qe.slice(384, 448),
    qeAuth: qe.slice(450, 450 + qeAuthLength),
    chain: qe.slice(450 + qeAuthLength + 6),
    padding: quote.slice(authAt + 4 + auth.length),
  }
}

export const signedBytesOf = (parts: QuoteParts): Uint8Array =>
  joined(parts.header, parts.announcement, parts.body)

export function assemble(parts: QuoteParts, lies: Lies = {}): Uint8Array {
  const inner = joined(
    parts.qeReport,
    parts.qeReportSignature,
    lies.qeAuthLength ?? u16(parts.qeAuth.length),
    parts.qeAuth,
    lies.innerType ?? u16(5),
    lies.innerLength ?? u32(parts.chain.length),
    parts.chain,
  )
  const auth = joined(
    parts.signature,
    parts.attestationKey,
    lies.outerType ?? u16(6),
    lies.outerLength ?? u32(inner.length),
    inner,
  )
  return joined(signedBytesOf(parts), lies.authLength ?? u32(auth.length), auth, parts.padding)
}

/** The parts that a contract gets as `auth`. */
export const authOf = (parts: QuoteParts): Uint8Array =>
  joined(parts.signature, parts.attestationKey, parts.qeReport, parts.qeReportSignature, parts.qeAuth)

/** Both signatures made again; `rebind` puts the attestation key into the enclave's report first. */
export function resign(
  parts: QuoteParts,
  keys: { readonly pck: SigningKey; readonly attestation: SigningKey },
  rebind: boolean,
): QuoteParts {
  const binding = joined(sha256(joined(parts.attestationKey, parts.qeAuth)), new Uint8Array(32))
  const qeReport = rebind ? withBytes(parts.qeReport, 320, binding) : parts.qeReport
  return {
    ...parts,
    qeReport,
    qeReportSignature: keys.pck.sign(qeReport),
    signature: keys.attestation.sign(signedBytesOf(parts)),
  }
}

/** Certificates as a quote carries them. */
export const pemBytes = (chain: readonly Uint8Array[]): Uint8Array =>
  utf8ToBytes(`${chain.map(toPem).join("")}\0`)
