/** Scenes in which one certificate has other extensions or other fields: shared by the cases of line 2. */
import {
  type CertificateFields,
  PCK_CRL_URL,
  ROOT_CRL_URL,
  standardExtensions,
} from "@twinlock/devnet/platform/pki"
import { refused } from "./case.ts"
import { ALICE, AUTHORITY_FIELDS, GOOD, type Scene } from "./scene.ts"

export const LEAF_FIELDS: CertificateFields = {
  ...AUTHORITY_FIELDS,
  key: ALICE.pckKey,
  issuer: GOOD.platformCa,
  pathLength: null,
  crlUrl: PCK_CRL_URL,
}

type Standard = ReturnType<typeof standardExtensions>

/** The five standard extensions of a role with some replaced, repeated or left out. */
const edited = (fields: CertificateFields, edit: Edit): readonly Uint8Array[] => {
  const standard = standardExtensions(fields)
  return Object.values({ ...standard, ...edit(standard) }).flat()
}

export type Edit = (standard: Standard) => Readonly<Record<string, Uint8Array | readonly Uint8Array[]>>

/** Extensions of the CA, the machine's certificate and the TCB signer. */
export const authorityWith = (edit: Edit): Scene => ({
  platform: { certificates: { authority: { standard: edited(AUTHORITY_FIELDS, edit) } } },
})
export const leafWith = (edit: Edit): Scene => ({
  machine: { pck: { certificate: { standard: edited(LEAF_FIELDS, edit) } } },
})
export const signerWith = (edit: Edit): Scene => {
  const fields = { ...LEAF_FIELDS, key: GOOD.tcbSigner.key, issuer: GOOD.root, crlUrl: ROOT_CRL_URL }
  return { platform: { certificates: { tcbSigning: { standard: edited(fields, edit) } } } }
}

/** Other fields of the machine's certificate. */
export const certificateWith = (certificate: Partial<CertificateFields>): Scene => ({
  machine: { pck: { certificate } },
})

export const WRONG_FORM = refused("CERTIFICATE_MALFORMED", "WrongCertificateExtensions")
export const MALFORMED = refused("CERTIFICATE_MALFORMED", "MalformedDer")
