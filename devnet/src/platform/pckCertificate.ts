/** PCK certificates with Intel's SGX extension (1.2.840.113741.1.13.1), which names machine and TCB. */
import { fromHex } from "@twinlock/sdk/protocol/codec"
import type { Hex } from "@twinlock/sdk/protocol/ids"
import * as der from "./der.ts"
import type { SigningKey } from "./keys.ts"
import { extension, type Issuer, issueCertificate, PCK, PCK_CRL_URL } from "./pki.ts"

const SGX = "1.2.840.113741.1.13.1"

export type PckFields = {
  readonly key: SigningKey
  readonly issuer: Issuer
  readonly serial: Uint8Array
  readonly notBefore: number
  readonly notAfter: number
  /** 16 bytes: names the processor package set. */
  readonly ppid: Hex
  /** 16 bytes: names the platform instance. */
  readonly piid: Hex
  /** 6 bytes: family, model, stepping, platform type, custom SKU. */
  readonly fmspc: Hex
  /** 2 bytes. */
  readonly pceId: Hex
  /** 16 component SVNs. */
  readonly cpuSvn: Hex
  readonly pceSvn: number
}

const item = (arc: string, value: Uint8Array) => der.sequence(der.objectIdentifier(`${SGX}.${arc}`), value)

function sgxExtension(fields: PckFields): Uint8Array {
  const cpuSvn = fromHex(fields.cpuSvn)
  const components = Array.from(cpuSvn, (svn, index) => item(`2.${index + 1}`, der.integer(svn)))
  return extension(
    SGX,
    false,
    der.sequence(
      item("1", der.octetString(fromHex(fields.ppid))),
      item(
        "2",
        der.sequence(
          ...components,
          item("2.17", der.integer(fields.pceSvn)),
          item("2.18", der.octetString(cpuSvn)),
        ),
      ),
      item("3", der.octetString(fromHex(fields.pceId))),
      item("4", der.octetString(fromHex(fields.fmspc))),
      item("5", der.enumerated(1)),
      item("6", der.octetString(fromHex(fields.piid))),
      item(
        "7",
        der.sequence(
          item("7.1", der.boolean(true)),
          item("7.2", der.boolean(true)),
          item("7.3", der.boolean(true)),
        ),
      ),
    ),
  )
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
    extensions: [sgxExtension(fields)],
  })
