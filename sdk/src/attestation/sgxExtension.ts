/**
 * Intel's SGX extension of PCK certificates, 1.2.840.113741.1.13.1 (Intel SGX PCK Certificate and CRL Profile §5):
 * which machine this is and which TCB its provisioning key stands for.
 */
import { toHex } from "../protocol/codec.ts"
import type { Hex } from "../protocol/ids.ts"
import { DerReader, TAG } from "./der.ts"
import { attestationError } from "./errors.ts"

/** Content of the OBJECT IDENTIFIER 1.2.840.113741.1.13.1, hex. */
export const SGX_EXTENSION_ID = "2a864886f84d010d01"

export type SgxExtension = {
  /** 16 bytes: names the processor package. */
  readonly ppid: Hex
  /** 16 bytes: names the platform instance; null on certificates of the Processor CA. */
  readonly piid: Hex | null
  /** 6 bytes. */
  readonly fmspc: Hex
  /** 2 bytes. */
  readonly pceId: Hex
  /** The 16 component SVNs. */
  readonly cpuSvn: readonly number[]
  readonly pceSvn: number
}

const malformed = (message: string) => attestationError("CERTIFICATE_MALFORMED", message)

function octets(reader: DerReader, length: number, what: string): Hex {
  const bytes = reader.content(TAG.octetString)
  if (bytes.length !== length) throw malformed(`${what} must have ${length} bytes, got ${bytes.length}`)
  return toHex(bytes)
}

/** Arc of an item of `prefix`; items of Intel's extension are SEQUENCE { OID, value }. */
function arcOf(identifier: string, prefix: string): number {
  if (!identifier.startsWith(prefix) || identifier.length !== prefix.length + 2)
    throw malformed(`unexpected identifier ${identifier} in the SGX extension`)
  return Number.parseInt(identifier.slice(prefix.length), 16)
}

function parseTcb(items: DerReader): Pick<SgxExtension, "cpuSvn" | "pceSvn"> {
  const svns: number[] = []
  for (let arc = 1; arc <= 17; arc++) {
    const item = items.inside(TAG.sequence)
    const found = arcOf(item.objectIdentifier(), `${SGX_EXTENSION_ID}02`)
    if (found !== arc) throw malformed(`want TCB item ${arc}, got ${found}`)
    const svn = item.smallUnsigned()
    if (svn > (arc === 17 ? 0xffff : 0xff)) throw malformed(`SVN ${svn} of TCB item ${arc} is too large`)
    item.end()
    svns.push(svn)
  }
  const raw = items.inside(TAG.sequence)
  if (arcOf(raw.objectIdentifier(), `${SGX_EXTENSION_ID}02`) !== 18)
    throw malformed("the CPUSVN item is missing")
  octets(raw, 16, "CPUSVN")
  raw.end()
  items.end()
  return { cpuSvn: svns.slice(0, 16), pceSvn: svns[16] ?? 0 }
}

/** One item, SEQUENCE { OID, value }, opened behind its identifier. */
function itemOf(items: DerReader, arc: number): DerReader {
  const item = items.inside(TAG.sequence)
  const found = arcOf(item.objectIdentifier(), SGX_EXTENSION_ID)
  if (found !== arc) throw malformed(`want item ${arc} of the SGX extension, got ${found}`)
  return item
}

function octetItem(items: DerReader, arc: number, length: number, what: string): Hex {
  const item = itemOf(items, arc)
  const value = octets(item, length, what)
  item.end()
  return value
}

/**
 * Items in the one order in which Intel writes them: PPID, TCB, PCEID, FMSPC and SGX type, then under the Platform CA
 * instance id and configuration.
 * @param value content of the extension's octet string. @throws CERTIFICATE_MALFORMED
 */
export function parseSgxExtension(value: Uint8Array): SgxExtension {
  const outer = new DerReader(value)
  const items = outer.inside(TAG.sequence)
  outer.end()
  const ppid = octetItem(items, 1, 16, "PPID")
  const tcbItem = itemOf(items, 2)
  const tcb = parseTcb(tcbItem.inside(TAG.sequence))
  tcbItem.end()
  const pceId = octetItem(items, 3, 2, "PCEID")
  const fmspc = octetItem(items, 4, 6, "FMSPC")
  itemOf(items, 5).content(TAG.enumerated) // SGX type: says nothing about TDX
  let piid: Hex | null = null
  if (items.peek() !== null) {
    piid = octetItem(items, 6, 16, "platform instance id")
    itemOf(items, 7).inside(TAG.sequence) // dynamic platform, cached keys, SMT: no verifier judges them
  }
  items.end()
  return { ppid, piid, fmspc, pceId, ...tcb }
}
