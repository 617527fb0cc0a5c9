/**
 * The document behind `mr_config_id` version 3: a dstack host hashes it into the register when it creates the trust
 * domain. It names one instance of one application. Only its canonical spelling (RFC 8785) with exactly these
 * members is accepted: `gpu_policy_hash`, `init_script_hashes` and whatever comes later would change what the guest
 * runs. Public data.
 */
import { concatBytes, fromHex, sha256Digest, toHex, utf8ToBytes } from "../protocol/codec.ts"
import { type Digest, type Hex, parseDigest } from "../protocol/ids.ts"
import { attestationError } from "./errors.ts"

export type ConfigDocument = {
  readonly appId: Hex
  /** SHA-256 of app-compose.json. */
  readonly composeHash: Digest
  readonly instanceId: Hex
  /** Such as "kms". */
  readonly keyProvider: string
  /** What names the provider: its public key or measurement. */
  readonly keyProviderId: Hex
}

const DOMAIN = utf8ToBytes("dstack-mr-config-v3:\0")
/** A document has about 300 bytes. */
const DOCUMENT_LIMIT = 16 * 1024

/** Only the compose hash counts, so the other values need a form and no meaning. */
const TEMPLATE =
  /^\{"app_id":"((?:[0-9a-f]{2})*)","compose_hash":"([0-9a-f]{64})","instance_id":"((?:[0-9a-f]{2})*)","key_provider":"([a-z-]+)","key_provider_id":"((?:[0-9a-f]{2})*)","version":3\}$/

/** @param bytes exact bytes of the document. @throws CONFIG_DOCUMENT_MALFORMED unless they follow the template. */
export function parseConfigDocument(bytes: Uint8Array): ConfigDocument {
  if (bytes.length > DOCUMENT_LIMIT)
    throw malformed(`a configuration document has at most ${DOCUMENT_LIMIT} bytes, got ${bytes.length}`)
  const match = TEMPLATE.exec(String.fromCharCode(...bytes))
  if (!match)
    throw malformed(
      "a configuration document has app_id, compose_hash, instance_id, key_provider, key_provider_id and version 3 in canonical form, and nothing else",
    )
  const [, appId, composeHash, instanceId, keyProvider = "", keyProviderId] = match
  return {
    appId: `0x${appId}`,
    composeHash: parseDigest(`0x${composeHash}`),
    instanceId: `0x${instanceId}`,
    keyProvider,
    keyProviderId: `0x${keyProviderId}`,
  }
}

/** The canonical bytes of a document: the inverse of `parseConfigDocument`. */
export const encodeConfigDocument = (document: ConfigDocument): Uint8Array =>
  utf8ToBytes(
    JSON.stringify({
      app_id: document.appId.slice(2),
      compose_hash: document.composeHash.slice(2),
      instance_id: document.instanceId.slice(2),
      key_provider: document.keyProvider,
      key_provider_id: document.keyProviderId.slice(2),
      version: 3,
    }),
  )

/** The 48-byte register of version 3: 03 ‖ SHA-256("dstack-mr-config-v3:" ‖ 00 ‖ document) ‖ zeros. */
export const configIdOfDocument = (document: Uint8Array): Hex =>
  toHex(
    concatBytes(Uint8Array.of(3), fromHex(sha256Digest(concatBytes(DOMAIN, document))), new Uint8Array(15)),
  )

const malformed = (message: string) => attestationError("CONFIG_DOCUMENT_MALFORMED", message)
