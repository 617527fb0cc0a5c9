/**
 * Transcript bundle of a ceremony: one file with the proposal, every signed header, everybody's echo signatures, the
 * broadcasts that matter, how the CRS came about, and the signed activation. All of it is public; `verify/auditCeremony.ts`
 * checks it offline.
 */
import { Reader, utf8ToBytes, Writer } from "@twinlock/sdk/protocol/codec"
import { MAX_PARTIES } from "@twinlock/sdk/protocol/committee"
import type { KeyActivation, SigningDomain } from "@twinlock/sdk/protocol/eip712"
import { type KeyId, parseAddress, parseDigest, parseEpoch, parseKeyId } from "@twinlock/sdk/protocol/ids"
import { SIGNATURE_BYTES } from "@twinlock/sdk/protocol/signature"
import type { GroupSignature } from "@twinlock/sdk/threshold/frost"
import type { KeyProposal } from "../chain/chainView.ts"
import type { SignedActivation } from "./activationRounds.ts"
import { type CrsHistory, readCrsHistory, writeCrsHistory } from "./crsHistory.ts"
import type { RoundRecord } from "./state.ts"
import {
  bundleError,
  MAX_ROUNDS,
  readProposal,
  readRecord,
  wide,
  writeProposal,
  writeRecord,
} from "./transcriptCodec.ts"

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
const MAX_PUBLIC_KEY_CHUNK = 1024 * 1024

/** Of no signature: a point has no such address, and s is not zero. */
const NO_SIGNATURE: GroupSignature = { r: parseAddress(`0x${"0".repeat(40)}`), s: 0n }

export function encodeBundle(bundle: CeremonyBundle): Uint8Array {
  const { proposal, signing, records, crs, signed } = bundle
  const writer = new Writer().raw(MAGIC).hex(bundle.keyId).uint(4, bundle.attempt)
  writeProposal(writer, proposal)
  writer.hex(wide(signing.chainId)).hex(signing.verifyingContract)
  writer.list(records, writeRecord).bytes(bundle.publicKeyChunk)
  writeCrsHistory(writer, crs)
  return writer.raw(encodeSigned(signed)).done()
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
  const proposal = readProposal(reader)
  const signing: SigningDomain = {
    chainId: BigInt(reader.hex(32)),
    verifyingContract: parseAddress(reader.hex(20)),
  }
  let round = 0
  const records = reader.list(MAX_ROUNDS, () => readRecord(reader, round++, proposal.parties.length))
  const publicKeyChunk = reader.bytes(MAX_PUBLIC_KEY_CHUNK)
  const crs = readCrsHistory(reader)
  const signed = readSigned(reader, keyId)
  reader.end()
  return { keyId, attempt, proposal, signing, records, publicKeyChunk, crs, signed }
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
