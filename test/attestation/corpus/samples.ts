/**
 * Real quotes with real collateral, each at the time at which it was valid, and their mutations. The data belongs to
 * others and is not part of the repository: the list is empty where the folder is absent, and a test says so. Every
 * sample that the folder's index names must have its expectation here.
 */
import { existsSync, readFileSync } from "node:fs"
import { toPem } from "@twinlock/devnet/platform/pki"
import { parseCertificate } from "@twinlock/sdk/attestation/certificate"
import { type CollateralBundle, parseCollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import { concatBytes, fromHex, keccak } from "@twinlock/sdk/protocol/codec"
import { NOT_SUBMITTABLE, pemBlocks } from "../cutEvidence.ts"
import {
  type AttestationInput,
  accepted,
  type Case,
  type ChecklistLine,
  type Expected,
  refused,
  unseenOnChain,
} from "./case.ts"

const FOLDER = new URL("../../../../shared/attestation-samples/", import.meta.url)

export const SAMPLES_PRESENT: boolean = existsSync(new URL("index.json", FOLDER))

type Sample = { readonly id: string; readonly validAtUnix?: number }
type Mutation = {
  readonly name: string
  readonly quote: string
  readonly collateral: string
  readonly atUnix: number
}

const bytesOf = (path: string): Uint8Array => new Uint8Array(readFileSync(new URL(path, FOLDER)))
const textOf = (path: string): string => readFileSync(new URL(path, FOLDER), "utf8")
const collateralOf = (path: string): CollateralBundle => parseCollateralBundle(JSON.parse(textOf(path)))

/** Intel SGX Root CA, x ‖ y. */
export const INTEL_ROOT_KEY: Uint8Array = fromHex(
  "0x0ba9c4c0c0c86193a3fe23d6b02cda10a8bbd4e88e48b4458561a36e705525f567918e2edc88e40d860bd0cc4ee26aacc988e505a953558c453f6b0904ae7394",
)

/** Root keys of the samples that were not made under Intel's, by sample. */
export const sampleRootKey = (root: "SIM-v4" | "intel-qvl-sample"): Uint8Array => {
  if (root === "SIM-v4") return parseCertificate(bytesOf("SIM-v4/root_ca.der")).publicKey
  const [certificate = new Uint8Array(0)] = pemBlocks(textOf(`${QVL}/trustedRootCaCert.pem`))
  return parseCertificate(certificate).publicKey
}

const input = (quote: string, collateral: string, time: number): AttestationInput => ({
  subject: { kind: "quote", bytes: bytesOf(quote) },
  collateral: collateralOf(collateral),
  configDocument: new Uint8Array(0),
  time,
  floors: { tcb: 0, qe: 0 },
})

type Judgement = readonly [line: ChecklistLine, expected: Expected]

const NO_COMPOSE_HASH: Judgement = ["10 config", refused("CONFIG_ID_MISSING", "ComposeHashMissing")]
const SIMULATED = "SIM-v4"
const SIMULATED_TIME = Date.UTC(2026, 9, 5) / 1000
const QVL = "intel-qvl-sample-v4-own-root"

/** By id in index.json; the two samples under other roots follow on their own. */
const SAMPLES: Readonly<Record<string, Judgement>> = {
  "near-mpc-dstack-v4-b0c0": ["8 merge", accepted()],
  "dstack-verifier-v4-90c0": NO_COMPOSE_HASH,
  "dstack-simulator-fixture-v4-b0c0": ["8 merge", accepted()],
  "dstack-tdx-lite-v4-90c0": ["3 pck crl", refused("CRL_EXPIRED", "Expired")],
  "dcap-qvl-v4-b0c0": NO_COMPOSE_HASH,
  "flashtestations-v4-b0c0": NO_COMPOSE_HASH,
  "NEG-alibaba-v5-90c0-servicetd": ["9 service", refused("TD_SERVICE", "ServiceTdBound")],
  "NEG-dcap-qvl-v5-90c0-below-tcb": ["8 platform", refused("TCB_LEVEL", "PlatformBelowEveryLevel")],
  "NEG-trustee-v4-5080-debug": ["9 attributes", refused("TD_DEBUG", "TdAttributesNotAllowed")],
  // Its SGX TCB info is refused before anybody looks at the quote.
  "NEG-sgx-v3-00a0": ["1 version", refused("QUOTE_VERSION", "MalformedJson")],
}

const UNSIGNED_BODY: Judgement = ["7 signature", refused("QUOTE_SIGNATURE", "InvalidQuoteSignature")]
const UNBOUND: Judgement = ["6 binding", refused("QE_REPORT_BINDING", "AttestationKeyNotBound")]
const NO_CRL: Judgement = ["3 pck crl", refused("CRL_MALFORMED", "MalformedDer")]
const FORGED_TCB_INFO: Judgement = ["5 signature", refused("TCB_INFO_SIGNATURE", "InvalidSignature")]

/** By name in NEG-mutations/index.json. */
const MUTATIONS: Readonly<Record<string, Judgement>> = {
  "header-version-3": ["1 version", refused("QUOTE_VERSION", "UnsupportedQuoteVersion")],
  "header-tee-sgx": ["1 tee type", refused("QUOTE_TEE_TYPE", "NotTdx")],
  "qe-vendor-id": ["1 vendor", refused("QUOTE_VENDOR", "UnknownQeVendor")],
  mrtd: UNSIGNED_BODY,
  mrconfigid: UNSIGNED_BODY,
  "report-data": UNSIGNED_BODY,
  "quote-signature": UNSIGNED_BODY,
  "attestation-key": UNBOUND,
  "qe-report-signature": ["6 signature", refused("QE_REPORT_SIGNATURE", "InvalidQeReportSignature")],
  "qe-auth-data": UNBOUND,
  truncated: ["1 length", refused("QUOTE_LENGTH", NOT_SUBMITTABLE)],
  "crl-empty": NO_CRL,
  "crl-garbage": NO_CRL,
  "crl-bad-signature": ["3 pck crl", refused("CRL_SIGNATURE", "InvalidSignature")],
  "tcb-info-edited": FORGED_TCB_INFO,
  "tcb-info-signature": FORGED_TCB_INFO,
  "qe-identity-edited": ["5 signature", refused("QE_IDENTITY_SIGNATURE", "InvalidSignature")],
  "other-fmspc-collateral": ["5 platform", refused("TCB_INFO_FMSPC", "NoCurrentTcbInfo")],
  "expired-now": ["3 pck crl", refused("CRL_EXPIRED", "Expired")],
  "before-issue": ["3 root crl", refused("CRL_NOT_YET_VALID", "NotYetValid")],
}

/** The mutations of the sample's page that its folder names but does not carry: made here as it describes them. */
const NEAR = "near-mpc-dstack-v4-b0c0"
const NEAR_TIME = 1_786_622_400
const DESCRIBED: readonly (readonly [name: string, build: () => AttestationInput, judgement: Judgement])[] = [
  [
    "crl-expired",
    () => {
      const base = input(`${NEAR}/quote.bin`, `${NEAR}/collateral.json`, NEAR_TIME)
      const old = collateralOf("dcap-qvl-v4-b0c0/collateral.json")
      return { ...base, collateral: { ...base.collateral, pck_crl: old.pck_crl } }
    },
    ["3 pck crl", refused("CRL_EXPIRED", "Expired")],
  ],
  [
    "trailing-64B",
    () => {
      const base = input(`${NEAR}/quote.bin`, `${NEAR}/collateral.json`, NEAR_TIME)
      const padded = concatBytes(bytesOf(`${NEAR}/quote.bin`), new Uint8Array(64).fill(0xaa))
      return { ...base, subject: { kind: "quote", bytes: padded } }
    },
    ["1 length", unseenOnChain("QUOTE_TRAILING", "what stands after the quote is not submitted")],
  ],
]

/** Intel's own sample, whose certificates come in files of their own and whose documents are of 2021. */
function qvlInput(): AttestationInput {
  const quote = bytesOf(`${QVL}/quote.dat`)
  const [pckLeaf = new Uint8Array(0)] = pemBlocks(textOf(`${QVL}/pckCert.pem`))
  // The files have the root first.
  const leafFirst = (file: string) =>
    pemBlocks(textOf(`${QVL}/${file}`))
      .map(toPem)
      .reverse()
      .join("")
  const chain = leafFirst("pckSignChain.pem")
  const signerChain = leafFirst("tcbSignChain.pem")
  const [authority = new Uint8Array(0)] = pemBlocks(chain)
  const inner = (file: string, name: string) => {
    const text = textOf(`${QVL}/${file}`).trim()
    const end = text.lastIndexOf(',"signature":"')
    return { text: text.slice(`{"${name}":`.length, end), signature: text.slice(end + 14, end + 142) }
  }
  const [tcbInfo, qeIdentity] = [
    inner("tcbInfo.json", "tcbInfo"),
    inner("qeIdentity.json", "enclaveIdentity"),
  ]
  const hex = (file: string) => Buffer.from(bytesOf(`${QVL}/${file}`)).toString("hex")
  return {
    subject: {
      kind: "evidence",
      evidence: {
        quote: quote.slice(0, 632),
        auth: concatBytes(quote.slice(636, 764), quote.slice(770, 1_218), quote.slice(1_220, 1_252)),
        pckLeaf,
        caId: keccak(parseCertificate(authority).publicKey),
        configDocument: new Uint8Array(0),
      },
    },
    collateral: {
      pck_crl_issuer_chain: chain,
      root_ca_crl: hex("rootCaCrl.der"),
      pck_crl: hex("intermediateCaCrl.der"),
      tcb_info_issuer_chain: signerChain,
      tcb_info: tcbInfo.text,
      tcb_info_signature: tcbInfo.signature,
      qe_identity_issuer_chain: signerChain,
      qe_identity: qeIdentity.text,
      qe_identity_signature: qeIdentity.signature,
    },
    configDocument: new Uint8Array(0),
    time: Date.UTC(2026, 0, 1) / 1000,
    floors: { tcb: 0, qe: 0 },
  }
}

function made(
  name: string,
  judgement: Judgement | undefined,
  root: Case["root"],
  build: Case["build"],
): Case {
  if (!judgement) throw new Error(`sample ${name} has no expectation`)
  const [line, expected] = judgement
  return { name: `sample ${name}`, line, root, expected, build }
}

function listed(): readonly Case[] {
  const samples = JSON.parse(textOf("index.json")) as readonly Sample[]
  const mutations = JSON.parse(textOf("NEG-mutations/index.json")) as readonly Mutation[]
  const real = samples.filter(({ id }) => id !== SIMULATED && id !== QVL)
  const simulated = input(`${SIMULATED}/quote.bin`, `${SIMULATED}/collateral.json`, SIMULATED_TIME)
  return [
    ...real.map(({ id, validAtUnix = 0 }) =>
      made(id, SAMPLES[id], "intel", () => input(`${id}/quote.bin`, `${id}/collateral.json`, validAtUnix)),
    ),
    ...mutations.map(({ name, quote, collateral, atUnix }) =>
      made(`mutation ${name}`, MUTATIONS[name], "intel", () =>
        input(`NEG-mutations/${quote}`, `NEG-mutations/${collateral}`, atUnix),
      ),
    ),
    ...DESCRIBED.map(([name, build, judgement]) => made(`mutation ${name}`, judgement, "intel", build)),
    made(SIMULATED, ["8 merge", accepted()], "SIM-v4", () => simulated),
    made(
      `${SIMULATED} under Intel's root`,
      ["2 root", refused("ROOT_MISMATCH", "InvalidSignature")],
      "intel",
      () => simulated,
    ),
    made(QVL, ["5 form", refused("TCB_INFO_MALFORMED", "MalformedJson")], "intel-qvl-sample", qvlInput),
  ]
}

export const sampleCases: readonly Case[] = SAMPLES_PRESENT ? listed() : []
