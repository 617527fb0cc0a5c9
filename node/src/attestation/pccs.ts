/**
 * Collateral over HTTP in the shape of Intel's service and of its caches (Intel PCS API v4). The service is not
 * trusted: everything that it says is signed and verified later. Bodies are bounded; the signed JSON objects are cut
 * out of their envelopes byte for byte.
 */

import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"

export type PckAuthority = "platform" | "processor"
export type CollateralPlatform = {
  /** 12 hex characters. */
  readonly fmspc: string
  readonly authority: PckAuthority
}

export type PccsErrorCode =
  /** nobody answers, or not in time. */
  | "COLLATERAL_UNREACHABLE"
  /** the answer is an error, too long, or not what was asked for. */
  | "COLLATERAL_RESPONSE"

/**
 * Which of the sets that Intel serves side by side: "standard" lags behind "early" by up to a year; any set that is
 * still served has its number.
 */
export type TcbSet = "standard" | "early" | number

export type PccsOptions = {
  /** Base URL, such as https://api.trustedservices.intel.com or a cache; a path in it is kept. */
  readonly url: string
  readonly timeoutMs: number
  /** "standard" where absent. */
  readonly set?: TcbSet
  /** The platform's own where absent. */
  readonly fetch?: typeof fetch
}

/** Caches serve the root's CRL beside the rest; Intel serves it at the address that its certificates name. */
const ROOT_CRLS: ReadonlyMap<string, string> = new Map([
  ["api.trustedservices.intel.com", "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"],
])

const MAX_BYTES = 256 * 1024
const ENVELOPE =
  /^\{"(tcbInfo|enclaveIdentity|tcbEvaluationDataNumbers)":(\{.*\}),"signature":"([0-9a-fA-F]{128})"\}\s*$/s

const pccsError = (code: PccsErrorCode, message: string, cause?: unknown): ProtocolError =>
  new ProtocolError({ code, message }, { cause })

type Answer = { readonly bytes: Buffer; readonly headers: Headers }

const address = (path: string, { url }: PccsOptions): URL => new URL(`${url.replace(/\/+$/, "")}${path}`)

async function get(url: URL, { timeoutMs, fetch: ask = fetch }: PccsOptions): Promise<Answer> {
  try {
    const response = await ask(url, { signal: AbortSignal.timeout(timeoutMs), redirect: "error" })
    if (!response.ok) {
      await response.body?.cancel()
      throw pccsError("COLLATERAL_RESPONSE", `${url.pathname} answered ${response.status}`)
    }
    return { bytes: await bounded(response, url.pathname), headers: response.headers }
  } catch (error) {
    if (error instanceof ProtocolError) throw error
    throw pccsError("COLLATERAL_UNREACHABLE", `no collateral service at ${url.origin}`, error)
  }
}

async function bounded(response: Response, path: string): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > MAX_BYTES)
      throw pccsError("COLLATERAL_RESPONSE", `${path} answered more than ${MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** A PEM chain out of a header, where the services put it URL-encoded. */
function chainOf({ headers }: Answer, ...names: readonly string[]): string {
  const value = names.map((name) => headers.get(name)).find((found) => found !== null)
  if (value === null || value === undefined)
    throw pccsError("COLLATERAL_RESPONSE", `header ${names[0]} is missing`)
  try {
    return decodeURIComponent(value)
  } catch (error) {
    throw pccsError("COLLATERAL_RESPONSE", `header ${names[0]} is not URL-encoded`, error)
  }
}

/** A CRL as hex: some caches send DER, others the hex of it. */
function crlOf({ bytes }: Answer): string {
  const text = bytes.toString("latin1").trim()
  return /^(30)([0-9a-fA-F]{2})+$/.test(text) ? text : bytes.toString("hex")
}

function documentOf(
  answer: Answer,
  name: "tcbInfo" | "enclaveIdentity" | "tcbEvaluationDataNumbers",
): SignedDocument {
  const match = ENVELOPE.exec(answer.bytes.toString("utf8"))
  if (match?.[1] !== name || match[2] === undefined || match[3] === undefined)
    throw pccsError("COLLATERAL_RESPONSE", `the answer is not a signed ${name}`)
  return { text: match[2], signature: match[3] }
}

/** The query that names a set; the standard one is asked for as older caches know it, without. */
const queryOf = (set: TcbSet): string => {
  if (set === "standard") return ""
  return set === "early" ? "update=early" : `tcbEvaluationDataNumber=${set}`
}

/** Fetches the whole bundle of one platform. @throws COLLATERAL_UNREACHABLE, COLLATERAL_RESPONSE */
export async function fetchCollateral(
  platform: CollateralPlatform,
  options: PccsOptions,
): Promise<CollateralBundle> {
  const ask = (path: string): Promise<Answer> => get(address(path, options), options)
  const query = queryOf(options.set ?? "standard")
  const rootCrlUrl = ROOT_CRLS.get(new URL(options.url).host)
  const [pckCrl, rootCrl, tcb, qe] = await Promise.all([
    ask(`/sgx/certification/v4/pckcrl?ca=${platform.authority}&encoding=der`),
    rootCrlUrl === undefined ? ask("/sgx/certification/v4/rootcacrl") : get(new URL(rootCrlUrl), options),
    ask(`/tdx/certification/v4/tcb?fmspc=${platform.fmspc.toUpperCase()}${query === "" ? "" : `&${query}`}`),
    ask(`/tdx/certification/v4/qe/identity${query === "" ? "" : `?${query}`}`),
  ])
  const [tcbInfo, qeIdentity] = [documentOf(tcb, "tcbInfo"), documentOf(qe, "enclaveIdentity")]
  return {
    pck_crl_issuer_chain: chainOf(pckCrl, "SGX-PCK-CRL-Issuer-Chain"),
    root_ca_crl: crlOf(rootCrl),
    pck_crl: crlOf(pckCrl),
    tcb_info_issuer_chain: chainOf(tcb, "TCB-Info-Issuer-Chain", "SGX-TCB-Info-Issuer-Chain"),
    tcb_info: tcbInfo.text,
    tcb_info_signature: tcbInfo.signature,
    qe_identity_issuer_chain: chainOf(qe, "SGX-Enclave-Identity-Issuer-Chain"),
    qe_identity: qeIdentity.text,
    qe_identity_signature: qeIdentity.signature,
  }
}

/** A document as signed, and its signature as hex without 0x. */
export type SignedDocument = { readonly text: string; readonly signature: string }

/** The list of the sets that Intel serves for TDX. @throws COLLATERAL_UNREACHABLE, COLLATERAL_RESPONSE */
export async function fetchEvaluationNumbers(options: PccsOptions): Promise<SignedDocument> {
  const answer = await get(address("/tdx/certification/v4/tcbevaluationdatanumbers", options), options)
  return documentOf(answer, "tcbEvaluationDataNumbers")
}
