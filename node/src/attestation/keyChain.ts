/**
 * The signature chain of a dstack guest agent's key: the provider signs the application key, the
 * application key signs the derived key for its purpose. Checked against the pinned provider before a key seals
 * anything (protocol §9): otherwise the host could put its own agent behind the socket and know every sealing key.
 */
import { secp256k1 } from "@noble/curves/secp256k1.js"
import { bytesToHex } from "@noble/hashes/utils.js"
import { concatBytes, keccakBytes, toHex, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import type { Hex } from "@twinlock/sdk/protocol/ids"
import type { Secret } from "../secret.ts"
import { agentError } from "./agentHttp.ts"
import type { AgentKey, GuestAgent } from "./guestAgent.ts"

export type PinnedProvider = {
  /** The provider's secp256k1 key, compressed, 33 bytes. */
  readonly rootKey: Hex
  /** 20 bytes: the application whose key the provider signed. */
  readonly appId: Uint8Array
}

const PURPOSE = "twinlock-sealing"

/** The compressed key behind a signature r ‖ s ‖ recovery. */
function recover(signature: Uint8Array | undefined, message: Uint8Array): Uint8Array {
  const recovery = signature?.[64]
  if (signature?.length !== 65 || recovery === undefined || recovery > 3)
    throw agentError("AGENT_MALFORMED", "a signature of the key chain must have 65 bytes")
  try {
    return secp256k1.Signature.fromBytes(signature.subarray(0, 64), "compact")
      .addRecoveryBit(recovery)
      .recoverPublicKey(keccakBytes(message))
      .toBytes(true)
  } catch {
    throw agentError("AGENT_WRONG_PROVIDER", "a signature of the key chain is not valid")
  }
}

/** @throws AGENT_WRONG_PROVIDER unless the pinned provider stands behind `key` for `purpose`; AGENT_MALFORMED */
export function checkKeyChain(key: AgentKey, purpose: string, provider: PinnedProvider): void {
  const publicKey = key.key.use((secret) => secp256k1.getPublicKey(secret, true))
  const [ofApplication, ofProvider] = key.signatureChain
  const application = recover(ofApplication, utf8ToBytes(`${purpose}:${bytesToHex(publicKey)}`))
  const issued = concatBytes(utf8ToBytes("dstack-kms-issued:"), provider.appId, application)
  const root = toHex(recover(ofProvider, issued))
  if (root !== provider.rootKey)
    throw agentError("AGENT_WRONG_PROVIDER", `key provider ${root} is not the pinned ${provider.rootKey}`)
}

/** The sealing store's local half (`storage/sealingKey.ts`): the agent's key for a path, from the pinned provider only. */
export const localKeyProvider = (
  agent: GuestAgent,
  provider: PinnedProvider,
): { localKey(path: string): Promise<Secret<Uint8Array>> } => ({
  async localKey(path) {
    const answer = await agent.getKey({ path: `${path}/secp256k1`, purpose: PURPOSE, algorithm: "secp256k1" })
    checkKeyChain(answer, PURPOSE, provider)
    return answer.key
  },
})
