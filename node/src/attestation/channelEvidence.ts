/**
 * Wire form of a channel quote: the quote with the event log and the configuration document that its appraisal needs.
 * Public data.
 */
import { QUOTE_LIMIT } from "@twinlock/sdk/attestation/quote"
import { Reader, utf8ToBytes, Writer } from "@twinlock/sdk/protocol/codec"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { CONFIG_DOCUMENT_LIMIT } from "./configDocument.ts"
import type { OwnQuote } from "./quoter.ts"

export type ChannelEvidenceErrorCode = "CHANNEL_EVIDENCE_MALFORMED"

const VERSION = 2
/** Real logs have 10 to 20 KB; quote and log stay below one attestation frame of 128 KiB. */
const EVENT_LOG_LIMIT = 96 * 1024

export const encodeChannelEvidence = (evidence: OwnQuote): Uint8Array =>
  new Writer()
    .uint(1, VERSION)
    .bytes(evidence.quote)
    .bytes(utf8ToBytes(evidence.eventLog))
    .bytes(evidence.configDocument)
    .done()

/** @throws CHANNEL_EVIDENCE_MALFORMED */
export function decodeChannelEvidence(bytes: Uint8Array): OwnQuote {
  try {
    const reader = new Reader(bytes)
    if (reader.uint(1) !== VERSION) throw new RangeError("unknown version")
    const quote = reader.bytes(QUOTE_LIMIT)
    const eventLog = new TextDecoder("utf-8", { fatal: true }).decode(reader.bytes(EVENT_LOG_LIMIT))
    const configDocument = reader.bytes(CONFIG_DOCUMENT_LIMIT)
    reader.end()
    return { quote, eventLog, configDocument }
  } catch (cause) {
    throw new ProtocolError(
      {
        code: "CHANNEL_EVIDENCE_MALFORMED" satisfies ChannelEvidenceErrorCode,
        message: `channel evidence of ${bytes.length} bytes does not decode`,
      },
      { cause },
    )
  }
}
