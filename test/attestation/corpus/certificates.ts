/** Checklist line 2, first part: shape of the chain, root, names, signatures and dates. */
import { highS, impostor, malleated, tampered } from "@twinlock/devnet/platform/keys"
import { issuePckCertificate } from "@twinlock/devnet/platform/pckCertificate"
import {
  type CertificateFields,
  distinguishedName,
  issueCertificate,
  PCK,
  PLATFORM_CA,
  PROCESSOR_CA,
  TCB_SIGNING,
  toPem,
} from "@twinlock/devnet/platform/pki"
import { createPlatform } from "@twinlock/devnet/platform/platform"
import { NOT_SUBMITTABLE } from "../cutEvidence.ts"
import { accepted, type Case, type Expected, refused, unseenOnChain } from "./case.ts"
import {
  ALICE,
  AUTHORITY_FIELDS,
  constructed,
  DAY,
  END_OF_2049,
  flipped,
  foreignName,
  GOOD,
  inputOf,
  keyOf,
  NOW,
  otherSerial,
  type Scene,
  simulated,
} from "./scene.ts"

const LEAF = ALICE.pckCertificate
const AUTHORITY = GOOD.platformCaCertificate
const ROOT = GOOD.rootCertificate
const NO_ROOT_CERTIFICATE = "the contract pins the root's key and never sees its certificate"
const NO_PEM = "the contract takes DER certificates, without the text around them"
const TIME = NOW + DAY

const chainOf = (...chain: readonly Uint8Array[]): Scene => ({ quote: { chain } })
const textOf = (chainText: string): Scene => ({ quote: { layout: { chainText } } })
const PEM = [LEAF, AUTHORITY, ROOT].map(toPem)

/** Scenes with a changed certificate of one role. */
const authority = (changes: Partial<CertificateFields>): Scene => ({
  platform: { certificates: { authority: changes } },
})
const leaf = (certificate: Partial<CertificateFields>): Scene => ({ machine: { pck: { certificate } } })
const root = (changes: Partial<CertificateFields>): Scene => ({
  platform: { certificates: { root: changes } },
})

const shapes: readonly Case[] = [
  simulated("2 chain", "under the Platform CA", {}, accepted()),
  simulated("2 chain", "under the Processor CA", { platform: { authority: "processor" } }, accepted()),
  simulated("2 chain", "without the final NUL", textOf(PEM.join("")), accepted()),
  simulated("2 chain", "with CR LF line ends", textOf(PEM.join("").replaceAll("\n", "\r\n")), accepted()),
  simulated(
    "2 chain",
    "without the root",
    chainOf(LEAF, AUTHORITY),
    unseenOnChain("CHAIN_LENGTH", NO_ROOT_CERTIFICATE),
  ),
  simulated("2 chain", "only the leaf", chainOf(LEAF), refused("CHAIN_LENGTH", NOT_SUBMITTABLE)),
  simulated("2 chain", "no certificate", chainOf(), refused("PEM_MALFORMED", NOT_SUBMITTABLE)),
  simulated(
    "2 chain",
    "four certificates",
    chainOf(LEAF, AUTHORITY, ROOT, ROOT),
    unseenOnChain("PEM_MALFORMED", NO_PEM),
  ),
  simulated(
    "2 chain",
    "leaf and CA swapped",
    chainOf(AUTHORITY, LEAF, ROOT),
    refused("CHAIN_SUBJECT", "WrongCertificateExtensions"),
  ),
  simulated(
    "2 chain",
    "CA and root swapped",
    chainOf(LEAF, ROOT, AUTHORITY),
    refused("ROOT_MISMATCH", "WrongCertificateExtensions"),
  ),
  simulated(
    "2 chain",
    "text before the blocks",
    textOf(`x${PEM.join("")}`),
    unseenOnChain("PEM_MALFORMED", NO_PEM),
  ),
  simulated(
    "2 chain",
    "text between the blocks",
    textOf(PEM.join("x\n")),
    unseenOnChain("PEM_MALFORMED", NO_PEM),
  ),
  simulated(
    "2 chain",
    "text after the blocks",
    textOf(`${PEM.join("")}\0x`),
    unseenOnChain("PEM_MALFORMED", NO_PEM),
  ),
  simulated(
    "2 chain",
    "two final NULs",
    textOf(`${PEM.join("")}\0\0`),
    unseenOnChain("PEM_MALFORMED", NO_PEM),
  ),
]

/** A PCK certificate issued by an end entity: the machine's own PCK certificate as the CA. */
const rogueLeaf = issuePckCertificate({
  key: keyOf("rogue"),
  issuer: { name: PCK, key: ALICE.pckKey },
  serial: otherSerial("rogue"),
  notBefore: NOW - DAY,
  notAfter: END_OF_2049,
  ppid: ALICE.ppid,
  piid: ALICE.piid,
  fmspc: ALICE.fmspc,
  pceId: "0x0000",
  cpuSvn: ALICE.cpuSvn,
  pceSvn: ALICE.pceSvn,
})

const foreign = createPlatform({ seed: "somebody else's root", now: NOW })

const roots: readonly Case[] = [
  simulated("2 root", "the pinned root", {}, accepted()),
  simulated(
    "2 root",
    "everything under a foreign root",
    { platform: { seed: "somebody else's root" } },
    refused("ROOT_MISMATCH", "InvalidSignature"),
  ),
  simulated(
    "2 root",
    "leaf and CA of a foreign root above which the pinned one is shown",
    chainOf(foreign.machine("alice").pckCertificate, foreign.platformCaCertificate, ROOT),
    refused("CHAIN_SIGNATURE", "InvalidSignature"),
  ),
  simulated(
    "2 root",
    "the root has expired",
    root({ notAfter: NOW }),
    unseenOnChain("CERTIFICATE_EXPIRED", NO_ROOT_CERTIFICATE),
  ),
  simulated(
    "2 root",
    "the root is no CA",
    root({ pathLength: null }),
    unseenOnChain("CHAIN_AUTHORITY", NO_ROOT_CERTIFICATE),
  ),
  simulated(
    "2 root",
    "the root allows no CA below it",
    root({ pathLength: 0 }),
    unseenOnChain("CHAIN_PATH_LENGTH", NO_ROOT_CERTIFICATE),
  ),
  simulated(
    "2 root",
    "the root has another name",
    root({ name: "Intel SGX Root" }),
    unseenOnChain("CHAIN_SUBJECT", NO_ROOT_CERTIFICATE),
  ),
  simulated(
    "2 root",
    "the root is not signed by itself",
    root({ issuer: { ...GOOD.root, key: keyOf("other") } }),
    unseenOnChain("CHAIN_SIGNATURE", NO_ROOT_CERTIFICATE),
  ),
]

const names: readonly Case[] = [
  simulated("2 names", "Intel's names", {}, accepted()),
  ...["Intel SGX PCK Platform CA ", "intel sgx pck platform ca", "Intel SGX Root CA", TCB_SIGNING].map(
    (name) =>
      simulated(
        "2 names",
        `the CA is called "${name}"`,
        authority({ name }),
        refused("CHAIN_SUBJECT", "UnexpectedSubject"),
      ),
  ),
  simulated(
    "2 names",
    "the CA is Intel's in the UK",
    authority({ subject: foreignName(PLATFORM_CA) }),
    refused("CHAIN_SUBJECT", "UnexpectedSubject"),
  ),
  simulated(
    "2 names",
    "the CA names another issuer",
    authority({ issuerName: distinguishedName("Intel SGX Root CB") }),
    refused("CHAIN_ISSUER", "UnexpectedIssuer"),
  ),
  simulated(
    "2 names",
    "the CA names an issuer in the UK",
    authority({ issuerName: foreignName("Intel SGX Root CA") }),
    refused("CHAIN_ISSUER", "UnexpectedIssuer"),
  ),
  ...["Intel SGX PCK Certificate 2", "Intel SGX PCK Platform CA", TCB_SIGNING].map((name) =>
    simulated(
      "2 names",
      `the leaf is called "${name}"`,
      leaf({ name }),
      refused("CHAIN_SUBJECT", "UnexpectedSubject"),
    ),
  ),
  simulated(
    "2 names",
    "the leaf is Intel's in the UK",
    leaf({ subject: foreignName(PCK) }),
    refused("CHAIN_SUBJECT", "UnexpectedSubject"),
  ),
  simulated(
    "2 names",
    "the leaf names the other CA",
    leaf({ issuerName: distinguishedName(PROCESSOR_CA) }),
    refused("CHAIN_ISSUER", "UnexpectedIssuer"),
  ),
  simulated(
    "2 names",
    "the leaf names a CA in the UK",
    leaf({ issuerName: foreignName(PLATFORM_CA) }),
    refused("CHAIN_ISSUER", "UnexpectedIssuer"),
  ),
]

const signatures: readonly Case[] = [
  simulated(
    "2 signature",
    "the other form of the CA's signature",
    authority({ issuer: { ...GOOD.root, key: tampered(GOOD.root.key, malleated) } }),
    accepted(),
  ),
  simulated(
    "2 signature",
    "the other form of the leaf's signature",
    leaf({ issuer: { ...GOOD.platformCa, key: tampered(GOOD.platformCa.key, malleated) } }),
    accepted(),
  ),
  simulated(
    "2 signature",
    "the leaf's signature with a large s",
    leaf({ issuer: { ...GOOD.platformCa, key: tampered(GOOD.platformCa.key, highS) } }),
    accepted(),
  ),
  simulated(
    "2 signature",
    "the CA's signature is another",
    authority({ issuer: { ...GOOD.root, key: tampered(GOOD.root.key, (s) => flipped(s, 5)) } }),
    refused("CHAIN_SIGNATURE", "InvalidSignature"),
  ),
  simulated(
    "2 signature",
    "the CA is signed by another key",
    authority({ issuer: { ...GOOD.root, key: impostor(GOOD.root.key, keyOf("other")) } }),
    refused("CHAIN_SIGNATURE", "InvalidSignature"),
  ),
  simulated(
    "2 signature",
    "the CA is signed by itself",
    authority({ issuer: { ...GOOD.root, key: GOOD.platformCa.key } }),
    refused("CHAIN_SIGNATURE", "InvalidSignature"),
  ),
  simulated(
    "2 signature",
    "the leaf's signature is another",
    leaf({ issuer: { ...GOOD.platformCa, key: tampered(GOOD.platformCa.key, (s) => flipped(s, 5)) } }),
    refused("CHAIN_SIGNATURE", "InvalidLeafSignature"),
  ),
  simulated(
    "2 signature",
    "the leaf is signed by the root",
    leaf({ issuer: { ...GOOD.platformCa, key: GOOD.root.key } }),
    refused("CHAIN_SIGNATURE", "InvalidLeafSignature"),
  ),
  simulated(
    "2 signature",
    "the leaf is signed by itself",
    leaf({ issuer: { ...GOOD.platformCa, key: ALICE.pckKey } }),
    refused("CHAIN_SIGNATURE", "InvalidLeafSignature"),
  ),
  simulated(
    "2 signature",
    "a bit of the leaf's serial is flipped",
    chainOf(flipped(LEAF, 25), AUTHORITY, ROOT),
    refused("CHAIN_SIGNATURE", "InvalidLeafSignature"),
  ),
  simulated(
    "2 signature",
    "a PCK certificate issues another one",
    { quote: { chain: [rogueLeaf, LEAF, ROOT], pckKey: keyOf("rogue") } },
    refused("CHAIN_SUBJECT", "WrongCertificateExtensions"),
  ),
]

const validity = (
  role: string,
  scene: (fields: Partial<CertificateFields>) => Scene,
  expired: Expected,
  early: Expected,
) => [
  simulated("2 validity", `the first second of the ${role}`, scene({ notBefore: TIME }), accepted()),
  simulated("2 validity", `the last second of the ${role}`, scene({ notAfter: TIME }), accepted()),
  simulated("2 validity", `the ${role} expired a second ago`, scene({ notAfter: TIME - 1 }), expired),
  simulated("2 validity", `the ${role} is valid in a second`, scene({ notBefore: TIME + 1 }), early),
]

const dates: readonly Case[] = [
  ...validity(
    "CA",
    authority,
    refused("CERTIFICATE_EXPIRED", "Expired"),
    refused("CERTIFICATE_NOT_YET_VALID", "NotYetValid"),
  ),
  ...validity(
    "leaf",
    leaf,
    refused("CERTIFICATE_EXPIRED", "LeafExpired"),
    refused("CERTIFICATE_NOT_YET_VALID", "LeafNotYetValid"),
  ),
]

export const certificateCases: readonly Case[] = [
  ...shapes,
  ...roots,
  ...names,
  ...signatures,
  ...dates,
  constructed(
    "2 chain",
    "a self-made CA with the name of Intel's, its key in the evidence",
    () => {
      const forged = issueCertificate({
        ...AUTHORITY_FIELDS,
        key: keyOf("forged CA"),
        issuer: { ...GOOD.root, key: keyOf("forged CA") },
      })
      const forgedLeaf = createPlatform({ seed: "x", now: NOW }).machine({
        name: "alice",
        pck: { issuer: { name: PLATFORM_CA, key: keyOf("forged CA") } },
      })
      return inputOf({
        quote: { chain: [forgedLeaf.pckCertificate, forged, ROOT], pckKey: forgedLeaf.pckKey },
      })
    },
    refused("CHAIN_SIGNATURE", "InvalidSignature"),
  ),
]
