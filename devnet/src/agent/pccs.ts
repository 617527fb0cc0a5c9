/** Collateral of the simulated platform over HTTP, in the shape of Intel's service (Intel PCS API v4). */
import type { IncomingMessage, ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { parseCertificate } from "@twinlock/sdk/attestation/certificate"
import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import { parsePemChain } from "@twinlock/sdk/attestation/pem"
import type { SignedDocument } from "./evaluationNumbers.ts"
import { close, listen } from "./jsonServer.ts"

/** Which set a request names: by its role or by its evaluation number. */
export type RequestedSet = "standard" | "early" | number

export type PccsOptions = {
  /** Asked for every request, so that collateral can change while the server runs. Null where there is no such set. */
  readonly collateral: (set: RequestedSet) => CollateralBundle | null
  /** The signed list of sets; none where absent. */
  readonly evaluationNumbers?: () => SignedDocument | null
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
}

export type RunningPccs = { readonly url: string; readonly stop: () => Promise<void> }

type Answer = {
  readonly type: string
  readonly body: Buffer
  readonly headers: Readonly<Record<string, string>>
}

const encoded = (chain: string) => encodeURIComponent(chain)

const signed = (name: string, text: string, signature: string) =>
  Buffer.from(`{"${name}":${text},"signature":"${signature}"}`)

/** Null where the query names none, or one in two ways. */
function setOf(query: URLSearchParams): RequestedSet | null {
  const [update, number] = [query.get("update"), query.get("tcbEvaluationDataNumber")]
  if (update !== null && number !== null) return null
  if (number !== null) return /^\d{1,6}$/.test(number) ? Number(number) : null
  return update === null || update === "standard" ? "standard" : update === "early" ? "early" : null
}

/** As a request names it: the CA that the bundle's list is of. */
function authorityOf({ pck_crl_issuer_chain }: CollateralBundle): "platform" | "processor" | null {
  const [authority] = parsePemChain(pck_crl_issuer_chain).map(parseCertificate)
  if (authority === undefined) return null
  return authority.commonName.includes("Processor") ? "processor" : "platform"
}

function answerTo(path: string, query: URLSearchParams, bundle: CollateralBundle): Answer | null {
  switch (path) {
    case "/sgx/certification/v4/pckcrl":
      if (query.get("ca") !== authorityOf(bundle)) return null
      return {
        type: "application/pkix-crl",
        body: Buffer.from(bundle.pck_crl, "hex"),
        headers: { "SGX-PCK-CRL-Issuer-Chain": encoded(bundle.pck_crl_issuer_chain) },
      }
    case "/sgx/certification/v4/rootcacrl":
      return { type: "text/plain", body: Buffer.from(bundle.root_ca_crl), headers: {} }
    case "/tdx/certification/v4/tcb": {
      const known = (JSON.parse(bundle.tcb_info) as { fmspc: string }).fmspc
      if (query.get("fmspc")?.toLowerCase() !== known.toLowerCase()) return null
      return {
        type: "application/json",
        body: signed("tcbInfo", bundle.tcb_info, bundle.tcb_info_signature),
        headers: { "TCB-Info-Issuer-Chain": encoded(bundle.tcb_info_issuer_chain) },
      }
    }
    case "/tdx/certification/v4/qe/identity":
      return {
        type: "application/json",
        body: signed("enclaveIdentity", bundle.qe_identity, bundle.qe_identity_signature),
        headers: { "SGX-Enclave-Identity-Issuer-Chain": encoded(bundle.qe_identity_issuer_chain) },
      }
    default:
      return null
  }
}

const NUMBERS_PATH = "/tdx/certification/v4/tcbevaluationdatanumbers"

function numbersOf({ collateral, evaluationNumbers }: PccsOptions): Answer | null {
  const [numbers, bundle] = [evaluationNumbers?.() ?? null, collateral("standard")]
  if (numbers === null || bundle === null) return null
  return {
    type: "application/json",
    body: signed("tcbEvaluationDataNumbers", numbers.text, numbers.signature),
    headers: { "TCB-Evaluation-Data-Numbers-Issuer-Chain": encoded(bundle.tcb_info_issuer_chain) },
  }
}

function respond(options: PccsOptions, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? "/", "http://pccs")
  const set = setOf(url.searchParams)
  if (set === null) {
    response.writeHead(400, { "content-length": 0 }).end()
    return
  }
  const bundle = options.collateral(set)
  const answer =
    url.pathname === NUMBERS_PATH
      ? numbersOf(options)
      : bundle && answerTo(url.pathname, url.searchParams, bundle)
  if (!answer) {
    response.writeHead(404, { "content-length": 0 }).end()
    return
  }
  response.writeHead(200, {
    "content-type": answer.type,
    "content-length": answer.body.length,
    ...answer.headers,
  })
  response.end(answer.body)
}

export async function startPccs(options: PccsOptions): Promise<RunningPccs> {
  const server = await listen((request, response) => respond(options, request, response), options)
  const { port } = server.address() as AddressInfo
  return { url: `http://${options.host}:${port}`, stop: () => close(server) }
}
