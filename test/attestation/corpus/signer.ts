/** Checklist line 4: who may sign TCB info and QE identity. */
import { impostor, malleated, tampered } from "@twinlock/devnet/platform/keys"
import {
  type CertificateFields,
  distinguishedName,
  issueCertificate,
  PCK,
  PLATFORM_CA,
  TCB_SIGNING,
  toPem,
} from "@twinlock/devnet/platform/pki"
import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import { accepted, type Case, type Expected, refused, unseenOnChain } from "./case.ts"
import {
  ALICE,
  DAY,
  foreignName,
  GOOD,
  keyOf,
  NOW,
  otherSerial,
  type Scene,
  simulated,
  underRoot,
} from "./scene.ts"

const TIME = NOW + DAY
const NO_ROOT_CERTIFICATE = "the contract pins the root's key and never sees its certificate"

const signer = (tcbSigning: Partial<CertificateFields>): Scene => ({
  platform: { certificates: { tcbSigning } },
})

/** Both documents signed by the key of `label`, shown with `certificate`. */
const signedBy = (name: string, label: string, certificate: Uint8Array): Scene => ({
  collateral: { signer: { issuer: { name, key: keyOf(label) }, certificate } },
})
/** The QE identity alone. */
const qeSignedBy = (label: string, certificate: Uint8Array): Scene => ({
  collateral: { qeSigner: { issuer: { name: TCB_SIGNING, key: keyOf(label) }, certificate } },
})

const chains = (change: (chain: string) => string): Scene => ({
  bundle: (good: CollateralBundle) => ({
    tcb_info_issuer_chain: change(good.tcb_info_issuer_chain),
    qe_identity_issuer_chain: change(good.qe_identity_issuer_chain),
  }),
})

/** Intel's signer, but under the Platform CA instead of the root. */
const underPlatformCa = issueCertificate({
  name: TCB_SIGNING,
  key: keyOf("under the CA"),
  issuer: GOOD.platformCa,
  serial: otherSerial("under the CA"),
  notBefore: NOW - DAY,
  notAfter: NOW + 900 * DAY,
  pathLength: null,
  crlUrl: "",
})

const WRONG_ROLE = refused("TCB_SIGNER", "WrongCertificateExtensions")
const WRONG_NAME = refused("TCB_SIGNER", "UnexpectedSubject")

const pckOfMachine: Scene = {
  collateral: { signer: { issuer: { name: PCK, key: ALICE.pckKey }, certificate: ALICE.pckCertificate } },
}

const identity: readonly (readonly [name: string, scene: Scene, expected: Expected])[] = [
  ["Intel's signer", {}, accepted()],
  ["a second signer for the QE identity", qeSignedBy("second", underRoot(TCB_SIGNING, "second")), accepted()],
  [
    "the other form of its signature",
    signer({ issuer: { ...GOOD.root, key: tampered(GOOD.root.key, malleated) } }),
    accepted(),
  ],
  ["the machine's own PCK certificate signs", pckOfMachine, WRONG_NAME],
  ["a PCK certificate that the root issued signs", signedBy(PCK, "pck", underRoot(PCK, "pck")), WRONG_NAME],
  [
    "an end entity of another name signs",
    signedBy("Intel", "intel", underRoot("Intel SGX TCB Signing 2", "intel")),
    WRONG_NAME,
  ],
  [
    "the Platform CA signs",
    { collateral: { signer: { issuer: GOOD.platformCa, certificate: GOOD.platformCaCertificate } } },
    refused("TCB_SIGNER", "WrongCertificateExtensions"),
  ],
  ["the signer is Intel's in the UK", signer({ subject: foreignName(TCB_SIGNING) }), WRONG_NAME],
  [
    "the signer is under the Platform CA",
    signedBy(TCB_SIGNING, "under the CA", underPlatformCa),
    refused("CHAIN_ISSUER", "UnexpectedIssuer"),
  ],
  [
    "the signer names the Platform CA as issuer",
    signer({ issuerName: distinguishedName(PLATFORM_CA) }),
    refused("CHAIN_ISSUER", "UnexpectedIssuer"),
  ],
  [
    "the signer is signed by another key",
    signer({ issuer: { ...GOOD.root, key: impostor(GOOD.root.key, keyOf("other")) } }),
    refused("CHAIN_SIGNATURE", "InvalidSignature"),
  ],
  [
    "the signer is signed by itself",
    signer({ issuer: { ...GOOD.root, key: GOOD.tcbSigner.key } }),
    refused("CHAIN_SIGNATURE", "InvalidSignature"),
  ],
  ["the signer is a CA", signer({ pathLength: 0, keyUsage: Uint8Array.of(6, 0xc0) }), WRONG_ROLE],
  ["the signer signs certificates", signer({ keyUsage: Uint8Array.of(2, 0xc4) }), WRONG_ROLE],
  ["the signer signs lists", signer({ keyUsage: Uint8Array.of(1, 0xc2) }), WRONG_ROLE],
  ["the signer's last second", signer({ notAfter: TIME }), accepted()],
  [
    "the signer expired a second ago",
    signer({ notAfter: TIME - 1 }),
    refused("CERTIFICATE_EXPIRED", "Expired"),
  ],
  [
    "the signer is valid in a second",
    signer({ notBefore: TIME + 1 }),
    refused("CERTIFICATE_NOT_YET_VALID", "NotYetValid"),
  ],
  ["the second signer is a PCK certificate", qeSignedBy("pck", underRoot(PCK, "pck")), WRONG_NAME],
  [
    "the signer's chain lacks the root",
    chains((chain) => chain.slice(0, chain.indexOf("-----BEGIN", 1))),
    unseenOnChain("CHAIN_LENGTH", NO_ROOT_CERTIFICATE),
  ],
  [
    "the signer's chain has the CA between",
    chains((chain) =>
      chain.replace(
        toPem(GOOD.rootCertificate),
        toPem(GOOD.platformCaCertificate) + toPem(GOOD.rootCertificate),
      ),
    ),
    unseenOnChain("CHAIN_LENGTH", NO_ROOT_CERTIFICATE),
  ],
  [
    "the signer's chain ends in another root",
    chains((chain) =>
      chain.replace(toPem(GOOD.rootCertificate), toPem(underRoot("Intel SGX Root CA", "another root"))),
    ),
    unseenOnChain("ROOT_MISMATCH", NO_ROOT_CERTIFICATE),
  ],
]

const second = underRoot(TCB_SIGNING, "second")

const revoked: readonly Case[] = [
  simulated(
    "4 revoked",
    "another signer is revoked",
    { collateral: { revokedByRoot: [otherSerial("another signer")] } },
    accepted(),
  ),
  simulated(
    "4 revoked",
    "the signer is revoked",
    { collateral: { revokedByRoot: [GOOD.serials.tcbSigning] } },
    refused("TCB_SIGNER_REVOKED", "CertificateRevoked"),
  ),
  simulated(
    "4 revoked",
    "the QE identity's own signer is revoked",
    {
      collateral: {
        qeSigner: { issuer: { name: TCB_SIGNING, key: keyOf("second") }, certificate: second },
        revokedByRoot: [otherSerial("second")],
      },
    },
    refused("TCB_SIGNER_REVOKED", "CertificateRevoked"),
  ),
]

export const signerCases: readonly Case[] = [
  ...identity.map(([name, scene, expected]) => simulated("4 signer", name, scene, expected)),
  ...revoked,
]
