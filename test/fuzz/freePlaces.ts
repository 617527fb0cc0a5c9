/**
 * The closed list of places that no signature covers and that change nothing in a verdict. An accepted mutant that
 * was not signed again may differ from the genuine input here and nowhere else:
 *
 * 1. zero bytes after the quote (padding of guest agents);
 * 2. the armour of PEM chains: line ends, the NUL at the end, base64 padding bits. Certificates count by their DER;
 * 3. upper and lower case of hex in the collateral bundle;
 * 4. s and n − s of a signature: Intel does not normalise s, so both are valid.
 *
 * Header fields that the verifier does not interpret (SVNs of quoting enclave and PCE, user data) are no free place:
 * the attestation key signs them.
 */
import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import type { Evidence } from "@twinlock/sdk/attestation/evidence"
import { pemView, quoteView } from "./oracle/layout.ts"
import { negated } from "./quickKey.ts"

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

/** The smaller of both forms of a signature. */
export function signatureName(signature: Uint8Array): string {
  const forms = [hex(signature), hex(negated(signature))]
  return forms.sort()[0] ?? ""
}

/** Everything of a quote outside the free places; null where it has not even the layout of one. */
export function nameOfQuote(quote: Uint8Array): string | null {
  const view = quoteView(quote)
  if (view === null) return null
  const { signed, attestationKey, qeReport, qeAuth, chain } = view
  const signatures = [view.signature, view.qeReportSignature].map(signatureName)
  return [...[signed, attestationKey, qeReport, qeAuth, ...chain].map(hex), ...signatures].join("/")
}

const pemName = (pem: string): string => (pemView(pem) ?? []).map(hex).join("/")

/** Everything of a bundle outside the free places. */
export const nameOfCollateral = (bundle: CollateralBundle): string =>
  JSON.stringify([
    pemName(bundle.pck_crl_issuer_chain),
    pemName(bundle.tcb_info_issuer_chain),
    pemName(bundle.qe_identity_issuer_chain),
    bundle.root_ca_crl.toLowerCase(),
    bundle.pck_crl.toLowerCase(),
    bundle.tcb_info,
    bundle.qe_identity,
    ...[bundle.tcb_info_signature, bundle.qe_identity_signature].map((text) =>
      /^[0-9a-fA-F]{128}$/.test(text) ? signatureName(Buffer.from(text, "hex")) : text,
    ),
  ])

/** Everything of the contract's evidence outside the free places. */
export const nameOfEvidence = ({ quote, auth, pckLeaf, caId, configDocument }: Evidence): string =>
  [
    hex(quote),
    auth.length < 576 ? hex(auth) : signatureName(auth.subarray(0, 64)),
    hex(auth.subarray(64, 512)),
    auth.length < 576 ? "" : signatureName(auth.subarray(512, 576)),
    hex(auth.subarray(576)),
    hex(pckLeaf),
    caId,
    hex(configDocument),
  ].join("/")
