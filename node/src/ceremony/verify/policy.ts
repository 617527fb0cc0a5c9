/** Step "policy": the transcript is of the key that the reader expects. What the policy does not name is not compared. */
import type { Address, Digest, KeyId } from "@twinlock/sdk/protocol/ids"
import { refuse } from "./step.ts"
import type { Transcript } from "./transcript.ts"

export type CeremonyPolicy = {
  readonly keyId?: KeyId
  readonly chainId?: bigint
  /** Contract under whose domain the activation is signed. */
  readonly verifyingContract?: Address
  readonly coprocessor?: Address
  readonly gateway?: Address
  /** In the order of the seats. */
  readonly parties?: readonly Address[]
  readonly executors?: readonly Address[]
  readonly t?: number
  readonly publicKeyDigest?: Digest
  readonly serverKeyDigest?: Digest
  readonly crsDigest?: Digest
  readonly transcriptDigest?: Digest
}

/** What nobody can make a transcript of his own have. Key id, contracts and sizes are there to be copied. */
export const BINDING_MEMBERS = [
  "parties",
  "publicKeyDigest",
  "serverKeyDigest",
  "crsDigest",
  "transcriptDigest",
] as const satisfies readonly (keyof CeremonyPolicy)[]

export function checkPolicy({ bundle }: Transcript, policy: CeremonyPolicy): string {
  const { keyId, proposal, signing, signed } = bundle
  const { publicKeyDigest, serverKeyDigest, crsDigest, transcriptDigest } = signed.activation
  const actual: Required<CeremonyPolicy> = {
    keyId,
    chainId: signing.chainId,
    verifyingContract: signing.verifyingContract,
    coprocessor: proposal.host.coprocessor,
    gateway: proposal.host.gateway,
    parties: proposal.parties,
    executors: proposal.executors,
    t: proposal.t,
    publicKeyDigest,
    serverKeyDigest,
    crsDigest,
    transcriptDigest,
  }
  const named = Object.entries(policy).filter(([, wanted]) => wanted !== undefined)
  for (const [name, wanted] of named) {
    const found = actual[name as keyof CeremonyPolicy]
    if (String(found) !== String(wanted)) throw refuse(`${name} must be ${wanted}, is ${found}`)
  }
  const binds = BINDING_MEMBERS.some((name) => policy[name] !== undefined)
  const note = binds ? "" : "; this alone anybody can write: no party and no digest is named"
  return `as expected: ${named.map(([name]) => name).join(", ")}${note}`
}
