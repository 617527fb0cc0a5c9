/**
 * What is kept of a CRS made on its own: the updates that were agreed, one link each, the signatures that made them final, and the
 * final list. Whoever knows the committee's keys can check it. Public data.
 */
import { Reader, Writer } from "@twinlock/sdk/protocol/codec"
import { agreement } from "@twinlock/sdk/protocol/committee"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Digest } from "@twinlock/sdk/protocol/ids"
import type { SignerRecovery } from "@twinlock/sdk/protocol/signature"
import type { CrsAuditor } from "../ceremony/engine.ts"
import {
  type Certificate,
  certifiedDigest,
  createStatementCheck,
  readCertificate,
  writeCertificate,
} from "./certificate.ts"
import type { CrsCommittee } from "./crsCommittee.ts"
import { auditUpdates } from "./updateCheck.ts"

export type CrsRecord = {
  readonly conclusion: Certificate
  /** 3,555,328 bytes at 2048 bits. */
  readonly state: Uint8Array
}

export type CrsRecordErrorCode =
  /** the bytes are no record of this version. */
  | "CRS_RECORD_FORM"
  /** fewer than ⌈(n+t+1)/2⌉ of the committee signed it. */
  | "CRS_NOT_AGREED"

const MAGIC = new TextEncoder().encode("TLCRSR01")
const MAX_STATE_BYTES = 4 * 1024 * 1024

export const encodeCrsRecord = ({ conclusion, state }: CrsRecord): Uint8Array =>
  writeCertificate(new Writer().raw(MAGIC), conclusion).bytes(state).done()

/** Form only; see {@link verifyCrsRecord}. @throws CodecErrorCode, BAD_PARTY_INDEX, CRS_RECORD_FORM */
export function decodeCrsRecord(bytes: Uint8Array, n: number): CrsRecord {
  const reader = new Reader(bytes)
  if (Buffer.compare(reader.take(MAGIC.length), MAGIC) !== 0)
    throw refuse("CRS_RECORD_FORM", "not a record of a CRS, or of another version")
  const conclusion = readCertificate(reader, n)
  const state = reader.bytes(MAX_STATE_BYTES)
  reader.end()
  return { conclusion, state }
}

/**
 * Whether the committee agreed on it, more than t contributed, and every factor is proven.
 * @returns SHA-256 of the CRS file @throws CRS_NOT_AGREED, CRS_TOO_FEW, and what the audit refuses
 */
export async function verifyCrsRecord(
  committee: CrsCommittee,
  { conclusion, state }: CrsRecord,
  auditor: CrsAuditor,
  recover?: SignerRecovery,
): Promise<Digest> {
  const { t, parties } = committee
  const { updates } = conclusion
  if (certifiedDigest("conclude", conclusion, committee, createStatementCheck(committee, recover)) === null) {
    const wanted = agreement({ n: parties.length, t })
    throw refuse("CRS_NOT_AGREED", `want valid signatures of ${wanted} of the committee under these updates`)
  }
  if (updates.length <= t)
    throw refuse("CRS_TOO_FEW", `more than ${t} parties must contribute, ${updates.length} did`)
  return auditUpdates(committee, updates, state, auditor)
}

const refuse = (code: CrsRecordErrorCode | "CRS_TOO_FEW", message: string): ProtocolError =>
  new ProtocolError({ code, message })
