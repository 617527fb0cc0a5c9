/** PCK certificates with Intel's SGX extension (1.2.840.113741.1.13.1), which names machine and TCB. */
import { fromHex } from "@twinlock/sdk/protocol/codec"
import type { Hex } from "@twinlock/sdk/protocol/ids"
import * as der from "./der.ts"
import type { SigningKey } from "./keys.ts"
import { type CertificateFields, extension, type Issuer, issueCertificate, PCK, PCK_CRL_URL } from "./pki.ts"

const SGX = "1.2.840.113741.1.13.1"

export type PckFields = {
  readonly key: SigningKey
  readonly issuer: Issuer
  readonly serial: Uint8Array
  readonly notBefore: number
  readonly notAfter: number
  /** 16 bytes: names the processor package set. */
  readonly ppid: Hex
  /** 16 bytes: names the platform instance; null under the Processor CA, which gives neither it nor item 7. */
  readonly piid: Hex | null
  /** 6 bytes: family, model, stepping, platform type, custom SKU. */
  readonly fmspc: Hex
  /** 2 bytes. */
  readonly pceId: Hex
  /** 16 component SVNs. */
  readonly cpuSvn: Hex
  readonly pceSvn: number
  /** Fields of the certificate itself that differ from Intel's. */
  readonly certificate?: Partial<CertificateFields>
  /** Edits the encoded items 1 to 7 of the SGX extension; no extension at all where it gives null. */
  readonly items?: (items: readonly Uint8Array[]) => readonly Uint8Array[] | null
  /** Edits the encoded TCB items 2.1 to 2.18. */
  readonly tcbItems?: (items: readonly Uint8Array[]) => readonly Uint8Array[]
}

/** SEQUENCE { SGX.arc, value }, as every item of the extension. */
export const sgxItem = (arc: string, value: Uint8Array): Uint8Array =>
  der.sequence(der.objectIdentifier(`${SGX}.${arc}`), value)

function tcbItems(fields: PckFields): Uint8Array {
  const cpuSvn = fromHex(fields.cpuSvn)
  const items = [
    ...Array.from(cpuSvn, (svn, index) => sgxItem(`2.${index + 1}`, der.integer(svn))),
    sgxItem("2.17", der.integer(fields.pceSvn)),
    sgxItem("2.18", der.octetString(cpuSvn)),
  ]
  return der.sequence(...(fields.tcbItems ?? ((same) => same))(items))
}

/** Instance and configuration, which only the Platform CA certifies. */
function platformItems(piid: Hex): readonly Uint8Array[] {
  const flags = ["7.1", "7.2", "7.3"].map((arc) => sgxItem(arc, der.boolean(true)))
  return [sgxItem("6", der.octetString(fromHex(piid))), sgxItem("7", der.sequence(...flags))]
}

/** The encoded SGX extension, alone in its list, or nothing. */
export function sgxExtensions(fields: PckFields): readonly Uint8Array[] {
  const items = [
    sgxItem("1", der.octetString(fromHex(fields.ppid))),
    sgxItem("2", tcbItems(fields)),
    sgxItem("3", der.octetString(fromHex(fields.pceId))),
    sgxItem("4", der.octetString(fromHex(fields.fmspc))),
    sgxItem("5", der.enumerated(1)),
    ...(fields.piid === null ? [] : platformItems(fields.piid)),
  ]
  const edited = fields.items ? fields.items(items) : items
  return edited ? [extension(SGX, false, der.sequence(...edited))] : []
}

/** DER of the PCK certificate of one machine. */
export const issuePckCertificate = (fields: PckFields): Uint8Array =>
  issueCertificate({
    name: PCK,
    key: fields.key,
    issuer: fields.issuer,
    serial: fields.serial,
    notBefore: fields.notBefore,
    notAfter: fields.notAfter,
    pathLength: null,
    crlUrl: PCK_CRL_URL,
    extensions: sgxExtensions(fields),
    ...fields.certificate,
  })
