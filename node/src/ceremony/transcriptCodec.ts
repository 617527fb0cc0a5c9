/** Wire forms that bundles and the records of failed attempts share: a proposal, and the record of a round. Public data. */
import { type Reader, utf8ToBytes, type Writer } from "@twinlock/sdk/protocol/codec"
import { MAX_PARTIES } from "@twinlock/sdk/protocol/committee"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Address, type Hex, parseAddress, parseDigest } from "@twinlock/sdk/protocol/ids"
import { SIGNATURE_BYTES } from "@twinlock/sdk/protocol/signature"
import type { KeyProposal } from "../chain/chainView.ts"
import { readSignedHeader, writeSignedHeader, ZERO_DIGEST } from "./header.ts"
import type { RoundRecord } from "./state.ts"

export type BundleErrorCode =
  /** no bundle, or one of another version. */
  | "BUNDLE_FORM"
  /** a signature, digest or link does not hold. */
  | "BUNDLE_INVALID"

const MAX_EXECUTORS = 64
const MAX_NAME = 64
const MAX_KEPT_BYTES = 4 * 1024 * 1024

export const MAX_ROUNDS = 256

export const wide = (value: bigint): Hex => `0x${value.toString(16).padStart(64, "0")}`

export const bundleError = (code: BundleErrorCode, message: string): ProtocolError =>
  new ProtocolError({ code, message })

export function writeProposal(writer: Writer, proposal: KeyProposal): void {
  const addresses = (list: readonly Address[]): Writer => writer.list(list, (w, address) => w.hex(address))
  writer.uint(1, proposal.n).uint(1, proposal.t).uint(1, proposal.k)
  addresses(proposal.parties)
  addresses(proposal.executors)
  writer.hex(proposal.parametersHash).hex(wide(proposal.host.chainId))
  writer.hex(proposal.host.coprocessor).hex(proposal.host.gateway).hex(wide(proposal.deadline))
}

export function readProposal(reader: Reader): KeyProposal {
  const address = (): Address => parseAddress(reader.hex(20))
  const uint256 = (): bigint => BigInt(reader.hex(32))
  return {
    n: reader.uint(1),
    t: reader.uint(1),
    k: reader.uint(1),
    parties: reader.list(MAX_PARTIES, address),
    executors: reader.list(MAX_EXECUTORS, address),
    parametersHash: parseDigest(reader.hex(32)),
    host: { chainId: uint256(), coprocessor: address(), gateway: address() },
    deadline: uint256(),
  }
}

export function writeRecord(writer: Writer, record: RoundRecord): void {
  writer
    .bytes(utf8ToBytes(record.name))
    .list(record.headers, writeSignedHeader)
    .list(record.echoSignatures, (inner, signature) => inner.raw(signature))
    .uint(1, record.broadcasts === null ? 0 : 1)
  if (record.broadcasts !== null) writer.list(record.broadcasts, (inner, bytes) => inner.bytes(bytes))
}

/** The digest is left to the verifier: it is recomputed, never believed. */
export function readRecord(reader: Reader, round: number, n: number): RoundRecord {
  const name = new TextDecoder().decode(reader.bytes(MAX_NAME))
  const headers = reader.list(MAX_PARTIES, () => readSignedHeader(reader, n))
  const echoSignatures = reader.list(MAX_PARTIES, () => reader.take(SIGNATURE_BYTES))
  const kept = reader.uint(1)
  if (kept > 1) throw bundleError("BUNDLE_FORM", `round ${round}: kept must be 0 or 1, is ${kept}`)
  const broadcasts = kept === 0 ? null : reader.list(MAX_PARTIES, () => reader.bytes(MAX_KEPT_BYTES))
  return { round, name, digest: ZERO_DIGEST, headers, echoSignatures, broadcasts }
}
