/** Frames of `/twinlock/attest/1` (protocol §2). All public; the report data of quotes is the SDK's. */
import { Reader, utf8ToBytes, Writer } from "@twinlock/sdk/protocol/codec"
import { assertNever, ProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Address, parseAddress } from "@twinlock/sdk/protocol/ids"
import type { NodeRole } from "../chain/chainView.ts"

export const ATTEST_PROTOCOL = "/twinlock/attest/1"

/** Maximum of one frame: a quote with its certificates and event log. */
export const MAX_ATTEST_FRAME: number = 128 * 1024

export const NONCE_BYTES = 32

export type Hello = {
  readonly kind: "hello"
  readonly chainId: number
  readonly registry: Address
  readonly signer: Address
  readonly role: NodeRole
  /** What the receiver's quote must bind. */
  readonly nonce: Uint8Array
}

export type AttestMessage =
  | Hello
  | { readonly kind: "evidence"; readonly quote: Uint8Array }
  | { readonly kind: "accept" }
  /** An error code, for the operator at the other end. */
  | { readonly kind: "refuse"; readonly code: string }

export type AttestMessageErrorCode = "ATTEST_MALFORMED"

const VERSION = 1
const KINDS = ["hello", "evidence", "accept", "refuse"] as const
const ROLES: readonly NodeRole[] = ["keyholder", "executor"]

/** Number of a role in quotes and registry: keyholder 1, executor 2. */
export const roleNumber = (role: NodeRole): number => ROLES.indexOf(role) + 1

const malformed = (message: string, cause?: unknown): ProtocolError =>
  new ProtocolError({ code: "ATTEST_MALFORMED" satisfies AttestMessageErrorCode, message }, { cause })

export function encodeAttestMessage(message: AttestMessage): Uint8Array {
  const writer = new Writer().uint(1, VERSION).uint(1, KINDS.indexOf(message.kind))
  switch (message.kind) {
    case "hello":
      return writer
        .uint(8, message.chainId)
        .hex(message.registry)
        .hex(message.signer)
        .uint(1, roleNumber(message.role))
        .raw(message.nonce)
        .done()
    case "evidence":
      return writer.bytes(message.quote).done()
    case "accept":
      return writer.done()
    case "refuse":
      return writer.bytes(utf8ToBytes(message.code)).done()
    default:
      return assertNever(message)
  }
}

/** @throws ATTEST_MALFORMED */
export function decodeAttestMessage(bytes: Uint8Array): AttestMessage {
  const reader = new Reader(bytes)
  try {
    const version = reader.uint(1)
    if (version !== VERSION) throw malformed(`want version ${VERSION}, got ${version}`)
    const message = decodeBody(reader)
    reader.end()
    return message
  } catch (error) {
    throw malformed("the frame does not decode", error)
  }
}

function decodeBody(reader: Reader): AttestMessage {
  const kind = KINDS[reader.uint(1)]
  switch (kind) {
    case "hello": {
      const chainId = reader.uint(8)
      const registry = parseAddress(reader.hex(20))
      const signer = parseAddress(reader.hex(20))
      const role = ROLES[reader.uint(1) - 1]
      if (role === undefined) throw malformed("unknown role")
      return { kind, chainId, registry, signer, role, nonce: reader.take(NONCE_BYTES) }
    }
    case "evidence":
      return { kind, quote: reader.bytes(MAX_ATTEST_FRAME) }
    case "accept":
      return { kind }
    case "refuse": {
      const code = new TextDecoder().decode(reader.bytes(64))
      if (!/^[A-Z][A-Z0-9_]*$/.test(code)) throw malformed("a refusal names an error code")
      return { kind, code }
    }
    case undefined:
      throw malformed("unknown kind")
    default:
      return assertNever(kind)
  }
}
