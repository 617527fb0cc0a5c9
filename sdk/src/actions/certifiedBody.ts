/** A coordinator's certified result, field by field: of the agreed form, or malformed. Nothing is verified. */
import { sdkError } from "../errors.ts"
import type {
  CertificateBody,
  CertifiedBody,
  EndorsedCertificateBody,
  PolicyEvidenceBody,
  ResultBody,
} from "../protocol/http.ts"
import { type Answer, answerList, answerNumber, answerObject, answerText, answerTexts } from "./answer.ts"

const MAX_HANDLES = 64
const MAX_PATH = 32
const MAX_PARTIES = 15

/** The brands of the bodies are earned by `certifiedFromBody`, which parses every one of these texts. */
const text = (from: Answer, name: string) => answerText(from, name) as never
const texts = (from: Answer, name: string, most: number) => answerTexts(from, name, most) as never

/** @throws COORDINATOR_MALFORMED */
export function certifiedBody(answer: Answer): CertifiedBody {
  const kind = answerText(answer, "kind")
  const result = resultOf(answerObject(answer.get("result"), "result"))
  const certificate = answerObject(answer.get("certificate"), "certificate")
  switch (kind) {
    case "group":
      return { kind, result, certificate: groupOf(certificate) }
    case "endorsed":
      return { kind, result, certificate: endorsedOf(certificate) }
    case "policy": {
      const evidence = evidenceOf(answerObject(answer.get("evidence"), "evidence"))
      return { kind, result, certificate: groupOf(certificate), evidence }
    }
    default:
      throw sdkError("COORDINATOR_MALFORMED", `the answer has no usable kind: ${kind.slice(0, 40)}`)
  }
}

const resultOf = (result: Answer): ResultBody => ({
  chainId: answerText(result, "chainId"),
  gateway: text(result, "gateway"),
  requestId: text(result, "requestId"),
  handles: texts(result, "handles", MAX_HANDLES),
  sessions: texts(result, "sessions", MAX_HANDLES),
  plaintexts: text(result, "plaintexts"),
})

const signedOf = (certificate: Answer) => ({
  keyId: text(certificate, "keyId"),
  epoch: answerNumber(certificate, "epoch"),
  signers: answerText(certificate, "signers"),
  leaves: answerNumber(certificate, "leaves"),
  index: answerNumber(certificate, "index"),
  path: texts(certificate, "path", MAX_PATH),
})

const groupOf = (certificate: Answer): CertificateBody => ({
  ...signedOf(certificate),
  r: text(certificate, "r"),
  s: answerText(certificate, "s"),
})

const endorsedOf = (certificate: Answer): EndorsedCertificateBody => ({
  ...signedOf(certificate),
  signatures: texts(certificate, "signatures", MAX_PARTIES),
})

const evidenceOf = (evidence: Answer): PolicyEvidenceBody => ({
  endorsers: answerText(evidence, "endorsers"),
  signatures: texts(evidence, "signatures", MAX_PARTIES),
  quotes: answerList(evidence, "quotes", MAX_PARTIES).map((item) => {
    const quote = answerObject(item, "quotes")
    const parts = answerObject(quote.get("evidence"), "evidence of a quote")
    return {
      party: answerNumber(quote, "party"),
      evidence: {
        quote: text(parts, "quote"),
        auth: text(parts, "auth"),
        pckLeaf: text(parts, "pckLeaf"),
        caId: text(parts, "caId"),
        configDocument: text(parts, "configDocument"),
      },
    }
  }),
})
