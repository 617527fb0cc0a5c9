/** PEM certificate chains as Intel writes them: nothing but CERTIFICATE blocks, one NUL byte allowed at the end. */
import { attestationError } from "./errors.ts"

const BLOCK =
  /-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]+?)\r?\n?-----END CERTIFICATE-----(?:\r?\n)*/y

/** Chains of Intel's have at most three certificates. */
const MAX_CERTIFICATES = 3

/** The DER certificates of `text`, in order. @throws PEM_MALFORMED on anything between or after the blocks. */
export function parsePemChain(text: string): readonly Uint8Array[] {
  const body = text.endsWith("\0") ? text.slice(0, -1) : text
  const certificates: Uint8Array[] = []
  BLOCK.lastIndex = 0
  while (BLOCK.lastIndex < body.length) {
    const at = BLOCK.lastIndex
    const base64 = BLOCK.exec(body)?.[1]
    if (base64 === undefined)
      throw attestationError("PEM_MALFORMED", `no certificate block at character ${at}`)
    if (certificates.length === MAX_CERTIFICATES)
      throw attestationError("PEM_MALFORMED", `more than ${MAX_CERTIFICATES} certificates`)
    certificates.push(decodeBase64(base64.replace(/[\r\n]/g, "")))
  }
  if (certificates.length === 0) throw attestationError("PEM_MALFORMED", "no certificate at all")
  return certificates
}

/** One spelling per certificate: no unused bits in the last character, no missing padding. */
function decodeBase64(base64: string): Uint8Array {
  const text = toBinary(base64)
  if (text === null || btoa(text) !== base64)
    throw attestationError("PEM_MALFORMED", "a certificate block is not base64")
  const bytes = new Uint8Array(text.length)
  for (let index = 0; index < bytes.length; index++) bytes[index] = text.charCodeAt(index)
  return bytes
}

function toBinary(base64: string): string | null {
  try {
    return atob(base64)
  } catch {
    return null
  }
}
