/** Wire form of a fresh quote in gossip (protocol §7): the parts of a quote that the contract takes. Public data. */
import type { QuoteEvidence } from "@twinlock/sdk/protocol/certificate"
import { Reader, Writer } from "@twinlock/sdk/protocol/codec"
import { parseDigest } from "@twinlock/sdk/protocol/ids"
import { MAX_EVIDENCE_BYTES } from "@twinlock/sdk/protocol/messages"

export const encodeQuoteEvidence = (evidence: QuoteEvidence): Uint8Array =>
  new Writer()
    .bytes(evidence.quote)
    .bytes(evidence.auth)
    .bytes(evidence.pckLeaf)
    .hex(evidence.caId)
    .bytes(evidence.configDocument)
    .done()

/** Strict. @throws the codes of codec.ts and ids.ts */
export function decodeQuoteEvidence(bytes: Uint8Array): QuoteEvidence {
  const reader = new Reader(bytes)
  const part = () => reader.bytes(MAX_EVIDENCE_BYTES)
  const [quote, auth, pckLeaf] = [part(), part(), part()]
  const caId = parseDigest(reader.hex(32))
  const configDocument = part()
  reader.end()
  return { quote, auth, pckLeaf, caId, configDocument }
}
