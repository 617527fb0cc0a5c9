/** Every case of the corpus: those of the simulated platform, line by line, and the real samples where they are present. */
import type { Case } from "./case.ts"
import { certificateCases } from "./certificates.ts"
import { documentCases } from "./documents.ts"
import { domainCases } from "./domain.ts"
import { enclaveCases } from "./enclave.ts"
import { extensionCases } from "./extensions.ts"
import { layoutCases } from "./layout.ts"
import { levelCases } from "./levels.ts"
import { revocationCases } from "./revocation.ts"
import { roleCases } from "./roles.ts"
import { sampleCases } from "./samples.ts"
import { sgxCases } from "./sgxExtension.ts"
import { signerCases } from "./signer.ts"

export const simulatedCases: readonly Case[] = [
  ...layoutCases,
  ...certificateCases,
  ...roleCases,
  ...extensionCases,
  ...sgxCases,
  ...revocationCases,
  ...signerCases,
  ...documentCases,
  ...enclaveCases,
  ...levelCases,
  ...domainCases,
]

export const corpus: readonly Case[] = [...simulatedCases, ...sampleCases]

/** Line and name: what a case is called in tests and in the list of differences. */
export const titleOf = (item: Case): string => `${item.line}: ${item.name}`
