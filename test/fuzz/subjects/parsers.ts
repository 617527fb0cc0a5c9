/** The parsers on their own, without signatures in the way: whatever they accept reads the same to the oracle. */
import { toPem } from "@twinlock/devnet/platform/pki"
import { utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { mutateBytes } from "../byteMutation.ts"
import { encodeDer, mutateDer, parseDer } from "../derTree.ts"
import { jsonTreeOf, mutateDocument } from "../jsonTree.ts"
import { pemView } from "../oracle/layout.ts"
import { calendarTime, certificateFacts, crlFacts } from "../oracle/x509.ts"
import type { Rng } from "../rng.ts"
import { measured } from "../steps.ts"
import type { Target } from "../target.ts"
import { type Attempt, attempt, mustEqual, Violation } from "../violation.ts"
import { chainOf, collateral, platform } from "../world.ts"
import type { Subject } from "./subject.ts"

const certificates = [...chainOf(platform.machine("alice")), platform.tcbSigningCertificate]
const lists = [collateral.root_ca_crl, collateral.pck_crl].map((text) => Buffer.from(text, "hex"))

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

function mutantOf(rng: Rng, der: Uint8Array): Uint8Array {
  const [root] = parseDer(der) ?? []
  if (root === undefined || rng.oneIn(5))
    return rng.oneIn(20) ? rng.bytes(rng.below(200)) : mutateBytes(rng, der)
  return encodeDer(mutateDer(rng, root))
}

function parseWith<T>(input: { readonly length: number }, parse: () => T): Attempt<T> {
  return measured(input.length, () => attempt(parse))
}

export const certificateParser: Subject = {
  name: "certificate parser",
  weight: 22,
  run: (rng, target) => {
    const der = mutantOf(rng, rng.pick(certificates))
    const outcome = parseWith(der, () => target.parseCertificate(der))
    if (outcome.status === "refused") return outcome
    const facts = certificateFacts(der)
    if (facts === null || facts.unknownCritical)
      throw new Violation("a certificate that the oracle cannot read")
    const { value } = outcome
    const { sgx } = value
    mustEqual(
      "the certificate",
      {
        ...{ serial: value.serial.slice(2), issuer: hex(value.issuer), subject: hex(value.subject) },
        ...{ notBefore: value.notBefore, notAfter: value.notAfter, publicKey: hex(value.publicKey) },
        ...{ ca: value.ca, pathLength: value.pathLength, keyUsage: value.keyUsage },
        sgx: sgx && [sgx.ppid, sgx.piid, sgx.fmspc, sgx.pceId, sgx.cpuSvn, sgx.pceSvn],
      },
      {
        ...{ serial: facts.serial, issuer: facts.issuer, subject: facts.subject },
        ...{ notBefore: facts.notBefore, notAfter: facts.notAfter, publicKey: facts.publicKey },
        ...{ ca: facts.ca, pathLength: facts.pathLength, keyUsage: facts.keyUsage },
        sgx: facts.sgx && [
          ...[`0x${facts.sgx.ppid}`, facts.sgx.piid === null ? null : `0x${facts.sgx.piid}`],
          ...[`0x${facts.sgx.fmspc}`, `0x${facts.sgx.pceId}`, facts.sgx.cpuSvn, facts.sgx.pceSvn],
        ],
      },
    )
    return outcome
  },
}

export const crlParser: Subject = {
  name: "CRL parser",
  weight: 18,
  run: (rng, target) => {
    const der = mutantOf(rng, rng.pick(lists))
    const outcome = parseWith(der, () => target.parseCrl(der))
    if (outcome.status === "refused") return outcome
    const facts = crlFacts(der)
    if (facts === null || facts.unknownCritical) throw new Violation("a CRL that the oracle cannot read")
    const { issuer, thisUpdate, nextUpdate, revoked } = outcome.value
    mustEqual(
      "the CRL",
      { issuer: hex(issuer), thisUpdate, nextUpdate, revoked: [...revoked].sort() },
      {
        ...{ issuer: facts.issuer, thisUpdate: facts.thisUpdate, nextUpdate: facts.nextUpdate },
        revoked: [...new Set(facts.revoked.map((serial) => `0x${serial}`))].sort(),
      },
    )
    return outcome
  },
}

const tcbTree = jsonTreeOf(JSON.parse(collateral.tcb_info))
const qeTree = jsonTreeOf(JSON.parse(collateral.qe_identity))
const seconds = (value: string): number => calendarTime(value.replace(/[-T:Z]/g, ""))

type Document = {
  readonly issueDate: string
  readonly nextUpdate: string
  readonly tcbEvaluationDataNumber: number
  readonly tcbLevels: readonly { readonly tcbStatus: string; readonly advisoryIDs?: readonly string[] }[]
}

function documentParser(
  name: string,
  tree: ReturnType<typeof jsonTreeOf>,
  parse: "parseTcbInfo" | "parseQeIdentity",
): Subject {
  const run = (rng: Rng, target: Target): Attempt<unknown> => {
    const text = mutateDocument(rng, tree)
    const outcome = parseWith(text, () => target[parse](text))
    if (outcome.status === "refused") return outcome
    const { issuedAt, nextUpdate, evaluationNumber, levels } = outcome.value
    const document = JSON.parse(text) as Document
    mustEqual(
      name,
      [issuedAt, nextUpdate, evaluationNumber, levels.map(({ status, advisories }) => [status, advisories])],
      [
        ...[seconds(document.issueDate), seconds(document.nextUpdate), document.tcbEvaluationDataNumber],
        document.tcbLevels.map(({ tcbStatus, advisoryIDs }) => [tcbStatus, advisoryIDs ?? []]),
      ],
    )
    return outcome
  }
  return { name, weight: 14, run }
}

export const tcbInfoParser: Subject = documentParser("TCB info parser", tcbTree, "parseTcbInfo")
export const qeIdentityParser: Subject = documentParser("QE identity parser", qeTree, "parseQeIdentity")

const PEM = certificates.slice(0, 3).map(toPem).join("")

export const pemParser: Subject = {
  name: "PEM parser",
  weight: 10,
  run: (rng, target) => {
    let text = Buffer.from(mutateBytes(rng, utf8ToBytes(PEM))).toString("latin1")
    if (rng.oneIn(4))
      text = rng.pick([text.replaceAll("\n", "\r\n"), `${text}\0`, text.replaceAll("\n", ""), text.trim()])
    const outcome = parseWith(text, () => target.parsePemChain(text))
    if (outcome.status === "accepted") mustEqual("the chain", outcome.value, pemView(text))
    return outcome
  },
}

const MEMBER_LIMIT = 256 * 1024
const ODD: readonly unknown[] = [
  null,
  undefined,
  0,
  true,
  [],
  {},
  "",
  "00",
  Symbol.iterator,
  () => "",
  new Uint8Array(3),
]

export const bundleShape: Subject = {
  name: "shape of the bundle",
  weight: 4,
  run: (rng, target) => {
    const members: Record<string, unknown> = { ...collateral }
    const name = rng.pick(Object.keys(members))
    members[name] = rng.oneIn(40) ? "0".repeat(MEMBER_LIMIT + rng.below(2)) : rng.pick(ODD)
    if (rng.oneIn(4)) delete members[name]
    if (rng.oneIn(4)) members[rng.pick(["__proto__", "further", "toString"])] = rng.pick(ODD)
    const value = rng.oneIn(10) ? rng.pick([...ODD, [members]]) : members
    const outcome = parseWith(PEM, () => target.parseCollateralBundle(value))
    if (outcome.status === "accepted")
      for (const [member, text] of Object.entries(outcome.value))
        if (!Object.hasOwn(collateral, member) || typeof text !== "string" || text.length > MEMBER_LIMIT)
          throw new Violation(`member ${member} is no text of at most ${MEMBER_LIMIT} characters`)
    return outcome
  },
}
