/**
 * Transcript bundle of a ceremony: one file with the proposal, every signed header, everybody's echo signatures, the
 * broadcasts that matter, how the CRS came about, and the signed activation. All of it is public; `verify/auditCeremony.ts`
 * checks it offline.
 */
import { Reader, utf8ToBytes, Writer } from "@twinlock/sdk/protocol/codec"
import { MAX_PARTIES } from "@twinlock/sdk/protocol/committee"
import type { KeyActivation, SigningDomain } from "@twinlock/sdk/protocol/eip712"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import {
  type Address,
  type Hex,
  type KeyId,
  parseAddress,
  parseDigest,
  parseEpoch,
  parseKeyId,
} from "@twinlock/sdk/protocol/ids"
import { SIGNATURE_BYTES } from "@twinlock/sdk/protocol/signature"
import type { GroupSignature } from "@twinlock/sdk/threshold/frost"
import type { KeyProposal } from "../chain/chainView.ts"
import type { SignedActivation } from "./activationRounds.ts"
import { type CrsHistory, readCrsHistory, writeCrsHistory } from "./crsHistory.ts"
import { readSignedHeader, writeSignedHeader } from "./header.ts"
import type { RoundRecord } from "./state.ts"

export type BundleErrorCode =
  /** no bundle, or one of another version. */
  | "BUNDLE_FORM"
  /** a signature, digest or link does not hold. */
  | "BUNDLE_INVALID"

export type CeremonyBundle = {
  readonly keyId: KeyId
  readonly attempt: number
  readonly proposal: KeyProposal
  readonly signing: SigningDomain
  readonly records: readonly RoundRecord[]
  /** Summed chunk of the public key: with the public seed it makes the key that encryptors use. */
  readonly publicKeyChunk: Uint8Array
  readonly crs: CrsHistory
  readonly signed: Pick<SignedActivation, "activation" | "signatures"> & {
    /** Null, and its round absent, where a signer kept its share from the others and brought the activation to the chain itself. */
    readonly groupSignature: GroupSignature | null
  }
}

const MAGIC = utf8ToBytes("twinlock-ceremony-v2")
const MAX_EXECUTORS = 64
const MAX_ROUNDS = 256
const MAX_NAME = 64
const MAX_KEPT_BYTES = 4 * 1024 * 1024
const MAX_PUBLIC_KEY_CHUNK = 1024 * 1024

/** Of no signature: a point has no such address, and s is not zero. */
const NO_SIGNATURE: GroupSignature = { r: parseAddress(`0x${"0".repeat(40)}`), s: 0n }

const wide = (value: bigint): Hex => `0x${value.toString(16).padStart(64, "0")}`

export const bundleError = (code: BundleErrorCode, message: string): ProtocolError =>
  new ProtocolError({ code, message })

export function encodeBundle(bundle: CeremonyBundle): Uint8Array {
  const { proposal, signing, records, crs, signed } = bundle
  const writer = new Writer().raw(MAGIC).hex(bundle.keyId).uint(4, bundle.attempt)
  const addresses = (list: readonly Address[]): Writer => writer.list(list, (w, address) => w.hex(address))
  writer.uint(1, proposal.n).uint(1, proposal.t).uint(1, proposal.k)
  addresses(proposal.parties)
  addresses(proposal.executors)
  writer.hex(proposal.parametersHash).hex(wide(proposal.host.chainId))
  writer.hex(proposal.host.coprocessor).hex(proposal.host.gateway).hex(wide(proposal.deadline))
  writer.hex(wide(signing.chainId)).hex(signing.verifyingContract)
  writer.list(records, writeRecord).bytes(bundle.publicKeyChunk)
  writeCrsHistory(writer, crs)
  return writer.raw(encodeSigned(signed)).done()
}

function writeRecord(writer: Writer, record: RoundRecord): void {
  writer
    .bytes(utf8ToBytes(record.name))
    .list(record.headers, writeSignedHeader)
    .list(record.echoSignatures, (inner, signature) => inner.raw(signature))
    .uint(1, record.broadcasts === null ? 0 : 1)
  if (record.broadcasts !== null) writer.list(record.broadcasts, (inner, bytes) => inner.bytes(bytes))
}

function encodeSigned({ activation, signatures, groupSignature }: CeremonyBundle["signed"]): Uint8Array {
  return new Writer()
    .uint(4, activation.epoch)
    .hex(activation.publicKeyDigest)
    .hex(activation.serverKeyDigest)
    .hex(activation.crsDigest)
    .hex(activation.transcriptDigest)
    .hex(wide(activation.groupX))
    .uint(1, activation.groupV)
    .list(signatures, (inner, signature) => inner.raw(signature))
    .hex((groupSignature ?? NO_SIGNATURE).r)
    .hex(wide((groupSignature ?? NO_SIGNATURE).s))
    .done()
}

/** Form only. @throws BUNDLE_FORM, CodecErrorCode, IdErrorCode */
export function decodeBundle(bytes: Uint8Array): CeremonyBundle {
  const reader = new Reader(bytes)
  if (Buffer.compare(reader.take(MAGIC.length), MAGIC) !== 0)
    throw bundleError("BUNDLE_FORM", "the file does not start as a ceremony bundle of version 2")
  const keyId = parseKeyId(reader.hex(32))
  const attempt = reader.uint(4)
  const address = (): Address => parseAddress(reader.hex(20))
  const uint256 = (): bigint => BigInt(reader.hex(32))
  const proposal: KeyProposal = {
    n: reader.uint(1),
    t: reader.uint(1),
    k: reader.uint(1),
    parties: reader.list(MAX_PARTIES, address),
    executors: reader.list(MAX_EXECUTORS, address),
    parametersHash: parseDigest(reader.hex(32)),
    host: { chainId: uint256(), coprocessor: address(), gateway: address() },
    deadline: uint256(),
  }
  const signing: SigningDomain = { chainId: uint256(), verifyingContract: address() }
  let round = 0
  const records = reader.list(MAX_ROUNDS, () => readRecord(reader, round++, proposal.parties.length))
  const publicKeyChunk = reader.bytes(MAX_PUBLIC_KEY_CHUNK)
  const crs = readCrsHistory(reader)
  const signed = readSigned(reader, keyId)
  reader.end()
  return { keyId, attempt, proposal, signing, records, publicKeyChunk, crs, signed }
}

/** The digest is left to the verifier: it is recomputed, never believed. */
function readRecord(reader: Reader, round: number, n: number): RoundRecord {
  const name = new TextDecoder().decode(reader.bytes(MAX_NAME))
  const headers = reader.list(MAX_PARTIES, () => readSignedHeader(reader, n))
  const echoSignatures = reader.list(MAX_PARTIES, () => reader.take(SIGNATURE_BYTES))
  const kept = reader.uint(1)
  if (kept > 1) throw bundleError("BUNDLE_FORM", `round ${round}: kept must be 0 or 1, is ${kept}`)
  const broadcasts = kept === 0 ? null : reader.list(MAX_PARTIES, () => reader.bytes(MAX_KEPT_BYTES))
  const digest = parseDigest(`0x${"0".repeat(64)}`)
  return { round, name, digest, headers, echoSignatures, broadcasts }
}

function readSigned(reader: Reader, keyId: KeyId): CeremonyBundle["signed"] {
  const activation: KeyActivation = {
    keyId,
    epoch: parseEpoch(reader.uint(4)),
    publicKeyDigest: parseDigest(reader.hex(32)),
    serverKeyDigest: parseDigest(reader.hex(32)),
    crsDigest: parseDigest(reader.hex(32)),
    transcriptDigest: parseDigest(reader.hex(32)),
    groupX: BigInt(reader.hex(32)),
    groupV: reader.uint(1),
  }
  const signatures = reader.list(MAX_PARTIES, () => reader.take(SIGNATURE_BYTES))
  const { r, s } = { r: parseAddress(reader.hex(20)), s: BigInt(reader.hex(32)) }
  const isNone = r === NO_SIGNATURE.r && s === NO_SIGNATURE.s
  return { activation, signatures, groupSignature: isNone ? null : { r, s } }
}
