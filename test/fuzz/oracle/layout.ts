/** Quotes and certificate chains by their offsets, without the SDK's readers. Null: not this layout. */
import { remembered } from "../remembered.ts"

export type QuoteView = {
  readonly version: 4 | 5
  readonly keyType: number
  readonly teeType: number
  readonly vendor: string
  readonly kind: "td10" | "td15"
  /** Header and body. */
  readonly signed: Uint8Array
  readonly body: Uint8Array
  readonly signature: Uint8Array
  readonly attestationKey: Uint8Array
  readonly qeReport: Uint8Array
  readonly qeReportSignature: Uint8Array
  readonly qeAuth: Uint8Array
  readonly chain: readonly Uint8Array[]
}

const MAX_QUOTE = 16 * 1024

/** Certificates of a PEM text that holds nothing else but line ends and one NUL at its end. */
function readPem(text: string): readonly Uint8Array[] | null {
  const chain: Uint8Array[] = []
  const rest = text
    .replace(/\0$/, "")
    .replace(/-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----/g, (_, body: string) => {
      const base64 = body.replace(/[\r\n]/g, "")
      if (/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) chain.push(new Uint8Array(Buffer.from(base64, "base64")))
      else chain.push(new Uint8Array())
      return ""
    })
  return /^[\r\n]*$/.test(rest) && chain.every((der) => der.length > 0) ? chain : null
}

export const pemView: (text: string) => readonly Uint8Array[] | null = remembered(
  (text: string) => text,
  readPem,
  500,
)

export function quoteView(bytes: Uint8Array): QuoteView | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const u16 = (at: number) => view.getUint16(at, true)
  const u32 = (at: number) => view.getUint32(at, true)
  try {
    const version = u16(0)
    if ((version !== 4 && version !== 5) || bytes.length > MAX_QUOTE) return null
    const kind = version === 5 && u16(48) === 3 ? "td15" : "td10"
    const bodyLength = kind === "td15" ? 648 : 584
    if (version === 5 && (u32(50) !== bodyLength || (kind === "td10" && u16(48) !== 2))) return null
    const bodyAt = version === 5 ? 54 : 48
    const authAt = bodyAt + bodyLength
    const authEnd = authAt + 4 + u32(authAt)
    const qeAt = authAt + 4 + 128 + 6
    const qeAuthEnd = qeAt + 450 + u16(qeAt + 448)
    const chainAt = qeAuthEnd + 6
    const exact =
      u16(qeAt - 6) === 6 &&
      qeAt + u32(qeAt - 4) === authEnd &&
      u16(qeAuthEnd) === 5 &&
      chainAt + u32(qeAuthEnd + 2) === authEnd &&
      authEnd <= bytes.length &&
      bytes.subarray(authEnd).every((byte) => byte === 0)
    const chain = exact ? pemView(Buffer.from(bytes.subarray(chainAt, authEnd)).toString("latin1")) : null
    if (chain === null) return null
    return {
      version,
      keyType: u16(2),
      teeType: u32(4),
      vendor: Buffer.from(bytes.subarray(12, 28)).toString("hex"),
      kind,
      signed: bytes.subarray(0, authAt),
      body: bytes.subarray(bodyAt, authAt),
      signature: bytes.subarray(authAt + 4, authAt + 68),
      attestationKey: bytes.subarray(authAt + 68, authAt + 132),
      qeReport: bytes.subarray(qeAt, qeAt + 384),
      qeReportSignature: bytes.subarray(qeAt + 384, qeAt + 448),
      qeAuth: bytes.subarray(qeAt + 450, qeAuthEnd),
      chain,
    }
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}
