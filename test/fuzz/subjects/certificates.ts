/** Certificates and revocation lists with broken trees, most of them signed again by their issuer. */

import { X509Certificate } from "node:crypto"
import type { SigningKey } from "@twinlock/devnet/platform/keys"
import { toPem } from "@twinlock/devnet/platform/pki"
import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import { joined } from "../byteMutation.ts"
import { type DerNode, encodeDer, mutateDer, parseDer } from "../derTree.ts"
import { quoteView } from "../oracle/layout.ts"
import { assemble, pemBytes, resign } from "../quoteParts.ts"
import type { Rng } from "../rng.ts"
import { Violation } from "../violation.ts"
import { authorityKey, chainOf, collateral, options, platform, rootKey, SCENARIOS } from "../world.ts"
import { judged, type Subject, withCollateral } from "./subject.ts"

/** The document with its signed part broken and signed by `key`. */
export function resignedDer(rng: Rng, der: Uint8Array, key: SigningKey): Uint8Array {
  const [document] = parseDer(der) ?? []
  const [content, algorithm] = document?.children ?? []
  if (document === undefined || content === undefined || algorithm === undefined)
    throw new RangeError("no DER")
  const mutant = mutateDer(rng, content)
  const toBeSigned = encodeDer(mutant)
  const signature: DerNode = {
    tag: 0x03,
    children: null,
    content: joined(Uint8Array.of(0), key.signDer(toBeSigned)),
  }
  return encodeDer({ tag: 0x30, content: document.content, children: [mutant, algorithm, signature] })
}

function opensslReads(der: Uint8Array): X509Certificate | null {
  try {
    return new X509Certificate(der)
  } catch {
    return null
  }
}

/**
 * OpenSSL's opinion of the signatures of an accepted chain. Names are compared as bytes and extensions that the
 * verifier does not use are opaque to it, so it accepts certificates of the genuine CAs that OpenSSL cannot read.
 */
function secondOpinion(quote: Uint8Array): void {
  const [leaf, authority, root] = (quoteView(quote)?.chain ?? []).map(opensslReads)
  for (const [one, issuer] of [
    [leaf, authority],
    [authority, root],
    [root, root],
  ])
    if (one && issuer && !one.verify(issuer.publicKey))
      throw new Violation(`OpenSSL finds no signature of ${issuer.subject} on ${one.subject}`)
}

export const pckChain: Subject = {
  name: "certificates of the quote, signed again",
  weight: 10,
  run: (rng, target) => {
    const { parts, keys, machine } = rng.pick(SCENARIOS)
    const [leaf, authority, root] = chainOf(machine)
    const chain = rng.pick([
      () => [resignedDer(rng, leaf, authorityKey), authority, root],
      () => [resignedDer(rng, leaf, authorityKey), authority, root],
      () => [leaf, resignedDer(rng, authority, rootKey), root],
      () => [leaf, authority, resignedDer(rng, root, rootKey)],
      () =>
        [leaf, authority, root].toSpliced(
          rng.below(3),
          1,
          rng.pick([leaf, authority, root, platform.tcbSigningCertificate]),
        ),
    ])()
    const carried = { ...parts, chain: pemBytes(chain) }
    const quote = assemble(rng.oneIn(8) ? carried : resign(carried, keys, true))
    const outcome = judged(target, quote, { ...options, collateral }, false)
    if (outcome.status === "accepted") secondOpinion(quote)
    return outcome
  },
}

const pem = (...chain: readonly Uint8Array[]): string => chain.map(toPem).join("")

export const collateralChains: Subject = {
  name: "certificates of the collateral, signed again",
  weight: 5,
  run: (rng, target) => {
    const {
      platformCaCertificate: authority,
      rootCertificate: root,
      tcbSigningCertificate: signer,
    } = platform
    const mutants: readonly (() => Partial<CollateralBundle>)[] = [
      () => ({ pck_crl_issuer_chain: pem(resignedDer(rng, authority, rootKey), root) }),
      () => ({ pck_crl_issuer_chain: pem(authority, resignedDer(rng, root, rootKey)) }),
      () => ({ tcb_info_issuer_chain: pem(resignedDer(rng, signer, rootKey), root) }),
      () => ({ qe_identity_issuer_chain: pem(resignedDer(rng, signer, rootKey), root) }),
      () => ({ tcb_info_issuer_chain: pem(signer, resignedDer(rng, root, rootKey)) }),
      () => ({
        qe_identity_issuer_chain: rng.pick([
          collateral.pck_crl_issuer_chain,
          pem(signer),
          pem(signer, root, root),
        ]),
      }),
    ]
    const bundle = withCollateral(rng.pick(mutants)())
    return judged(target, rng.pick(SCENARIOS).quote, { ...options, collateral: bundle }, false)
  },
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

export const revocationLists: Subject = {
  name: "revocation lists, signed again",
  weight: 8,
  run: (rng, target) => {
    const broken = (text: string, key: SigningKey) => hex(resignedDer(rng, Buffer.from(text, "hex"), key))
    const bundle = withCollateral(
      rng.oneIn(3)
        ? { root_ca_crl: broken(collateral.root_ca_crl, rootKey) }
        : { pck_crl: broken(collateral.pck_crl, authorityKey) },
    )
    return judged(target, rng.pick(SCENARIOS).quote, { ...options, collateral: bundle }, false)
  },
}
