/**
 * What certificates and revocation lists say, read through the tolerant tree of `derTree.ts`: the second opinion on
 * the SDK's strict readers. A null says that even a tolerant reader finds no such document.
 */
import type { DerNode } from "../derTree.ts"
import { encodeDer, parseDer } from "../derTree.ts"
import { remembered } from "../remembered.ts"

/** What an issuer signed. */
export type Signed = {
  readonly toBeSigned: Uint8Array
  /** r ‖ s; empty where the scalars do not fit. */
  readonly signature: Uint8Array
}

export type CertificateFacts = Signed & {
  readonly serial: string
  readonly issuer: string
  readonly subject: string
  readonly notBefore: number
  readonly notAfter: number
  /** x ‖ y, hex. */
  readonly publicKey: string
  readonly ca: boolean
  readonly pathLength: number | null
  readonly keyUsage: number
  readonly unknownCritical: boolean
  readonly sgx: SgxFacts | null
}

export type SgxFacts = {
  readonly ppid: string
  readonly piid: string | null
  readonly fmspc: string
  readonly pceId: string
  readonly cpuSvn: readonly number[]
  readonly pceSvn: number
}

export type CrlFacts = Signed & {
  readonly issuer: string
  readonly thisUpdate: number
  readonly nextUpdate: number
  readonly revoked: readonly string[]
  readonly unknownCritical: boolean
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
const childrenOf = (node: DerNode | undefined): readonly DerNode[] => node?.children ?? []
const whole = (node: DerNode | undefined): string => hex(node?.raw ?? new Uint8Array())
const trimmed = (node: DerNode | undefined): string => {
  const digits = hex(node?.content ?? new Uint8Array()).replace(/^(00)+(?=..)/, "")
  return digits
}
const numberOf = (node: DerNode | undefined): number => Number(`0x${trimmed(node) || "0"}`)

function signedOf(document: DerNode | undefined): Signed {
  const [toBeSigned, , bits] = childrenOf(document)
  const scalars = childrenOf(parseDer(bits?.content.subarray(1) ?? new Uint8Array())?.[0]).map(trimmed)
  const fits = scalars.length === 2 && scalars.every((digits) => digits.length <= 64)
  const padded = fits ? scalars.map((digits) => digits.padStart(64, "0")).join("") : ""
  return { toBeSigned: toBeSigned?.raw ?? new Uint8Array(), signature: Buffer.from(padded, "hex") }
}

/** Seconds, or NaN where the text is no date of the calendar. */
export function calendarTime(digits: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(digits)
  if (match === null) return Number.NaN
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number)
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0
  if (day < 1 || day > days || hour > 23 || minute > 59 || second > 59) return Number.NaN
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000
}

function timeOf(node: DerNode | undefined): number {
  const text = Buffer.from(node?.content ?? []).toString("latin1")
  if (!text.endsWith("Z")) return Number.NaN
  const digits = text.slice(0, -1)
  if (node?.tag === 0x18) return calendarTime(digits)
  return node?.tag === 0x17
    ? calendarTime((Number(digits.slice(0, 2)) < 50 ? "20" : "19") + digits)
    : Number.NaN
}

type Extension = { readonly id: string; readonly critical: boolean; readonly value: Uint8Array }

function extensionsOf(list: DerNode | undefined): readonly Extension[] {
  return childrenOf(list).map((item) => {
    const parts = childrenOf(item)
    const critical = parts[1]?.tag === 0x01 && parts[1].content[0] !== 0
    const value = parts[parts.length - 1]
    const content =
      value?.children === null || value === undefined ? value?.content : value.children.map(encodeDer)[0]
    return { id: hex(parts[0]?.content ?? new Uint8Array()), critical, value: content ?? new Uint8Array() }
  })
}

const SGX = "2a864886f84d010d01"
const [KEY_USAGE, BASIC_CONSTRAINTS] = ["551d0f", "551d13"]

const KNOWN = ["01", "02", "03", "04", "06"].map((arc) => SGX + arc)

/** Items that the verifier does not use may hold anything; those it uses stand once, with one value. */
function sgxOf(value: Uint8Array): SgxFacts | null {
  const items = new Map<string, DerNode>()
  const walk = (list: readonly DerNode[], used: (name: string) => boolean): boolean =>
    list.every((item) => {
      const [id, content, ...rest] = childrenOf(item)
      const name = hex(id?.content ?? new Uint8Array())
      if (!used(name)) return true
      if (content === undefined || rest.length > 0 || items.has(name)) return false
      items.set(name, content)
      return name === `${SGX}02` ? walk(childrenOf(content), () => true) : true
    })
  if (!walk(childrenOf(parseDer(value)?.[0]), (name) => KNOWN.includes(name))) return null
  const bytesOf = (arc: string) => hex(items.get(SGX + arc)?.content ?? new Uint8Array())
  const svn = (arc: number) => numberOf(items.get(`${SGX}02${arc.toString(16).padStart(2, "0")}`))
  return {
    ppid: bytesOf("01"),
    piid: items.has(`${SGX}06`) ? bytesOf("06") : null,
    fmspc: bytesOf("04"),
    pceId: bytesOf("03"),
    cpuSvn: Array.from({ length: 16 }, (_, index) => svn(index + 1)),
    pceSvn: svn(17),
  }
}

function readCertificate(der: Uint8Array): CertificateFacts | null {
  const [certificate, ...others] = parseDer(der) ?? []
  const [toBeSigned] = childrenOf(certificate)
  const fields = childrenOf(toBeSigned)
  if (others.length > 0 || fields.length !== 8) return null
  const [, serial, , issuer, validity, subject, spki, wrapper] = fields
  const extensions = extensionsOf(childrenOf(wrapper)[0])
  const named = (id: string) => extensions.find((extension) => extension.id === id)
  const constraints = childrenOf(parseDer(named(BASIC_CONSTRAINTS)?.value ?? new Uint8Array())?.[0])
  const pathLength = constraints.find(({ tag }) => tag === 0x02)
  const sgx = named(SGX)
  return {
    ...signedOf(certificate),
    serial: trimmed(serial),
    issuer: whole(issuer),
    subject: whole(subject),
    notBefore: timeOf(childrenOf(validity)[0]),
    notAfter: timeOf(childrenOf(validity)[1]),
    publicKey: hex(childrenOf(spki)[1]?.content ?? new Uint8Array()).slice(4),
    ca: constraints[0]?.tag === 0x01 && constraints[0].content[0] === 0xff,
    pathLength: pathLength === undefined ? null : numberOf(pathLength),
    keyUsage: parseDer(named(KEY_USAGE)?.value ?? new Uint8Array())?.[0]?.content[1] ?? 0,
    unknownCritical: extensions.some(
      ({ id, critical }) => critical && ![KEY_USAGE, BASIC_CONSTRAINTS, SGX].includes(id),
    ),
    sgx: sgx === undefined ? null : sgxOf(sgx.value),
  }
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1")

export const certificateFacts: (der: Uint8Array) => CertificateFacts | null = remembered(
  latin1,
  readCertificate,
  500,
)

function readCrl(der: Uint8Array): CrlFacts | null {
  const [list, ...others] = parseDer(der) ?? []
  const fields = childrenOf(childrenOf(list)[0])
  const [, , issuer, thisUpdate, nextUpdate, entries] = fields
  if (others.length > 0 || fields.length < 6 || fields.length > 7) return null
  const revoked = fields.length === 7 ? childrenOf(entries) : []
  const own = extensionsOf(childrenOf(fields[fields.length - 1])[0])
  const ofEntries = revoked.flatMap((entry) => extensionsOf(childrenOf(entry)[2]))
  return {
    ...signedOf(list),
    issuer: whole(issuer),
    thisUpdate: timeOf(thisUpdate),
    nextUpdate: timeOf(nextUpdate),
    revoked: revoked.map((entry) => trimmed(childrenOf(entry)[0])),
    unknownCritical:
      own.some(({ id, critical }) => critical && !["551d14", "551d23"].includes(id)) ||
      ofEntries.some(({ id, critical }) => critical && id !== "551d15"),
  }
}

export const crlFacts: (der: Uint8Array) => CrlFacts | null = remembered(latin1, readCrl, 100)
