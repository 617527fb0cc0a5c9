/**
 * Diagnosis of collateral: the authority's certificates, revocation lists and Intel's signed statements, checklist
 * lines 2 to 5 in the order of `authenticateCollateral` and `checkCollateral`. Nothing here depends on the quote.
 */
import { toHex } from "../protocol/codec.ts"
import { type Certificate, parseCertificate } from "./certificate.ts"
import {
  type AuthorityChain,
  type TcbSignerChain,
  type TrustAnchor,
  verifyAuthorityChain,
  verifyCrl,
  verifyTcbSigner,
} from "./chain.ts"
import { type QeIdentity, type TcbInfo, verifyQeIdentity, verifyTcbInfo } from "./collateral.ts"
import type { CollateralBundle } from "./collateralBundle.ts"
import type { Crl } from "./crl.ts"
import { isoDate } from "./explainFormat.ts"
import { explainTerms } from "./explainTerms.ts"
import { type Line, named, type Trace } from "./explainTrace.ts"
import { parsePemChain } from "./pem.ts"
import { type CollateralTerms, hexBytes } from "./verifiedCollateral.ts"

export type CollateralContext = {
  readonly trace: Trace
  readonly anchor: TrustAnchor
  readonly bundle: CollateralBundle | null
  readonly terms: CollateralTerms
}

/** What is genuine; null where it is not. Whether it is current, the trace says. */
export type ExplainedCollateral = {
  readonly issuers: AuthorityChain | null
  readonly rootCrl: Crl | null
  readonly pckCrl: Crl | null
  readonly tcbSigner: TcbSignerChain | null
  readonly qeSigner: TcbSignerChain | null
  readonly tcbInfo: TcbInfo | null
  readonly qeIdentity: QeIdentity | null
}

/** The pinned root, recognisable. */
export const pinned = ({ rootKey }: TrustAnchor): string => `${toHex(rootKey).slice(0, 18)}…`

const until = ({ commonName, notAfter }: Certificate) => `${commonName}, until ${isoDate(notAfter)}`

/** The certificates of a PEM chain must be readable before they can be judged. */
function explainPem(
  { trace, bundle }: CollateralContext,
  member: "pck_crl_issuer_chain" | "tcb_info_issuer_chain" | "qe_identity_issuer_chain",
  name: string,
): readonly Uint8Array[] | null {
  return trace.step({
    item: member === "pck_crl_issuer_chain" ? 2 : 4,
    needs: { "the collateral": bundle },
    run: (given) => {
      const chain = parsePemChain(given["the collateral"][member])
      for (const der of chain) parseCertificate(der)
      return chain
    },
    lines: [
      named(`${member.replace("_issuer_chain", "").replaceAll("_", "-")}.chain`, `${name}: certificates`, {
        expected: "well-formed",
        found: (chain) => chain.map((der) => parseCertificate(der).commonName).join(" < "),
      }),
    ],
  })
}

function explainIssuers(context: CollateralContext): AuthorityChain | null {
  const { trace, anchor } = context
  const chain = explainPem(context, "pck_crl_issuer_chain", "collateral")
  return trace.step({
    item: 2,
    needs: { "the collateral's certificates": chain },
    run: (given) => verifyAuthorityChain(given["the collateral's certificates"], anchor),
    lines: [
      named("pck-crl.chain-length", "collateral: length of the chain", {
        expected: "authority and root",
        found: () => "authority and root",
        codes: ["CHAIN_LENGTH"],
      }),
      named("pck-crl.root", "collateral: root key", {
        expected: pinned(anchor),
        found: () => pinned(anchor),
        codes: ["ROOT_MISMATCH"],
      }),
      named("pck-crl.authority", "collateral: PCK authority and root", {
        expected: "names, roles and signatures of Intel's PKI",
        found: ({ authority }) => until(authority),
      }),
    ],
  })
}

function explainCrl(
  { trace, anchor, bundle }: CollateralContext,
  member: "root_ca_crl" | "pck_crl",
  issuer: Certificate | null,
): Crl | null {
  const [id, name] = member === "root_ca_crl" ? ["root-crl", "root CRL"] : ["pck-crl", "PCK CRL"]
  const by = issuer?.commonName ?? "its authority"
  return trace.step({
    item: 3,
    needs: { "the collateral": bundle, "the collateral's PCK authority": issuer },
    run: (given) =>
      verifyCrl(
        hexBytes(given["the collateral"][member], name),
        given["the collateral's PCK authority"],
        anchor.verify,
      ),
    lines: [
      named(`${id}.format`, `${name}: well-formed`, {
        expected: "a CRL of version 2",
        found: ({ revoked }) => `${revoked.size} revoked serials`,
        codes: ["COLLATERAL_SHAPE", "CRL_MALFORMED"],
      }),
      named(`${id}.issuer`, `${name}: issuer`, { expected: by, found: () => by, codes: ["CRL_ISSUER"] }),
      named(`${id}.signature`, `${name}: signature`, {
        expected: `signed by ${by}`,
        found: () => "good",
        codes: ["CRL_SIGNATURE"],
      }),
    ],
  })
}

function explainSigner(context: CollateralContext, of: "tcb_info" | "qe_identity"): TcbSignerChain | null {
  const { trace, anchor } = context
  const [id, name] = of === "tcb_info" ? ["tcb-info", "TCB info"] : ["qe-identity", "QE identity"]
  const chain = explainPem(context, `${of}_issuer_chain`, name)
  return trace.step({
    item: 4,
    needs: { [`the certificates of the ${name}`]: chain },
    run: () => verifyTcbSigner(chain ?? [], anchor),
    lines: [
      named(`${id}.chain-length`, `${name}: length of the chain`, {
        expected: "signer and root",
        found: () => "signer and root",
        codes: ["CHAIN_LENGTH"],
      }),
      named(`${id}.root`, `${name}: root key`, {
        expected: pinned(anchor),
        found: () => pinned(anchor),
        codes: ["ROOT_MISMATCH"],
      }),
      named(`${id}.signer`, `${name}: signer`, {
        expected: "Intel SGX TCB Signing, issued by the root",
        found: ({ signer }) => until(signer),
      }),
    ],
  })
}

const documentLines = <T>(
  id: "tcb-info" | "qe-identity",
  signature: string | undefined,
  found: (document: T) => string,
): readonly Line<T>[] => {
  const [name, prefix] =
    id === "tcb-info" ? (["TCB info", "TCB_INFO"] as const) : (["QE identity", "QE_IDENTITY"] as const)
  const signed = named<T>(`${id}.signature`, `${name}: signature`, {
    expected: "TCB signing key, over the raw bytes",
    found: () => "good",
    codes: [`${prefix}_SIGNATURE`],
  })
  const format = named<T>(`${id}.format`, `${name}: id, version and shape`, {
    expected: `a ${name} for TDX`,
    found,
    codes: [`${prefix}_MALFORMED`],
  })
  // A signature that is no hex is refused before it is checked.
  return /^[0-9a-fA-F]{128}$/.test(signature ?? "") ? [signed, format] : [format, signed]
}

function explainDocuments(
  { trace, anchor, bundle }: CollateralContext,
  tcbSigner: TcbSignerChain | null,
  qeSigner: TcbSignerChain | null,
): Pick<ExplainedCollateral, "tcbInfo" | "qeIdentity"> {
  const { verify } = anchor
  const tcbInfo = trace.step({
    item: 5,
    needs: { "the collateral": bundle, "its signer": tcbSigner },
    run: ({ "the collateral": given, "its signer": { signer } }) =>
      verifyTcbInfo({ text: given.tcb_info, signature: given.tcb_info_signature, signer, verify }),
    lines: documentLines<TcbInfo>(
      "tcb-info",
      bundle?.tcb_info_signature,
      ({ fmspc, levels }) => `FMSPC ${fmspc}, ${levels.length} levels`,
    ),
  })
  const qeIdentity = trace.step({
    item: 5,
    needs: { "the collateral": bundle, "its signer": qeSigner },
    run: ({ "the collateral": given, "its signer": { signer } }) =>
      verifyQeIdentity({ text: given.qe_identity, signature: given.qe_identity_signature, signer, verify }),
    lines: documentLines<QeIdentity>(
      "qe-identity",
      bundle?.qe_identity_signature,
      ({ levels }) => `TD_QE, ${levels.length} levels`,
    ),
  })
  return { tcbInfo, qeIdentity }
}

/** Lines 2 to 5 for collateral alone. */
export function explainCollateral(context: CollateralContext): ExplainedCollateral {
  const { bundle } = context
  const issuers = explainIssuers(context)
  const rootCrl = explainCrl(context, "root_ca_crl", issuers?.root ?? null)
  const pckCrl = explainCrl(context, "pck_crl", issuers?.authority ?? null)
  const tcbSigner = explainSigner(context, "tcb_info")
  const same = bundle !== null && bundle.qe_identity_issuer_chain === bundle.tcb_info_issuer_chain
  const qeSigner = same ? tcbSigner : explainSigner(context, "qe_identity")
  const documents = explainDocuments(context, tcbSigner, qeSigner)
  const collateral = { issuers, rootCrl, pckCrl, tcbSigner, qeSigner, ...documents }
  explainTerms(context, collateral)
  return collateral
}
