/** The addon as the ceremony and its executors use it: objects, so that tests can put others in their place. */
import type { Digest } from "@twinlock/sdk/protocol/ids"
import { addonParameters } from "./addonParameters.ts"
import { createCeremonyParty, replayCeremonyParty } from "./ceremonyParty.ts"
import { crsAssemble, crsAudit, crsCheck, crsFollow, crsLink, crsUpdate } from "./crsCeremony.ts"
import { encryptSelfTest, verifyInputList } from "./inputProofs.ts"
import { addInto, assemblePublicKey, assembleServerKey, keyLayout, PUBLIC_KEY_PART } from "./keyAssembly.ts"
import type { ServerKey, ServerKeyFile } from "./serverKey.ts"

/** What a party of a ceremony needs. */
export const nativeEngine = {
  parametersHash: addonParameters().hash,
  createParty: createCeremonyParty,
  replayParty: replayCeremonyParty,
  keyLayout,
  publicKeyPart: PUBLIC_KEY_PART,
  addInto,
  assemblePublicKey,
  crsUpdate,
  crsFollow,
  crsCheck,
  crsLink,
  crsAssemble,
  encryptSelfTest,
  verifyInputList,
} as const

/** What an auditor of a finished ceremony needs. */
export const crsAuditor = { crsAudit } as const

/** Loads an evaluation key, or hands out the one that is loaded already: it takes 3 GB. */
export type LoadServerKey = (file: ServerKeyFile) => Promise<Pick<ServerKey, "selfTest">>

export type SelfTestEngine = {
  readonly parametersHash: Digest
  readonly keyLayout: typeof keyLayout
  readonly publicKeyPart: string
  readonly assemblePublicKey: typeof assemblePublicKey
  readonly assembleServerKey: typeof assembleServerKey
  /** Canonical words of what the self-test computes from the two values of the proven list. */
  evaluateSelfTest(
    serverKey: ServerKeyFile,
    list: Uint8Array,
    publicKey: Uint8Array,
    crs: Uint8Array,
    metadata: Uint8Array,
  ): Promise<Uint8Array>
}

/** What an executor needs to judge a new key. */
export const createSelfTestEngine = (load: LoadServerKey): SelfTestEngine => ({
  parametersHash: nativeEngine.parametersHash,
  keyLayout,
  publicKeyPart: PUBLIC_KEY_PART,
  assemblePublicKey,
  assembleServerKey,
  evaluateSelfTest: async (file, list, publicKey, crs, metadata) =>
    (await load(file)).selfTest(file, list, { publicKey, crs }, metadata),
})
