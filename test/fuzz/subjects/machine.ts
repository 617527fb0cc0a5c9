/** What runs in a trust domain: attributes, owner fields, `mr_config_id` and the document behind its version 3. */
import { createHash } from "node:crypto"
import { configIdOfDocument } from "@twinlock/sdk/attestation/configDocument"
import type { AttestationErrorCode } from "@twinlock/sdk/attestation/errors"
import { keccak } from "@twinlock/sdk/protocol/codec"
import { joined, mutateBytes, mutateField, withBytes } from "../byteMutation.ts"
import { jsonTreeOf, mutateDocument } from "../jsonTree.ts"
import { assemble, resign } from "../quoteParts.ts"
import type { Rng } from "../rng.ts"
import { type Attempt, attempt, mustEqual, Violation } from "../violation.ts"
import { collateral, options, SCENARIOS } from "../world.ts"
import { type Subject, verified } from "./subject.ts"

const DOCUMENT = {
  app_id: "a1".repeat(20),
  compose_hash: "c0".repeat(32),
  instance_id: "b2".repeat(20),
  key_provider: "kms",
  key_provider_id: "3059",
  version: 3,
}
const tree = jsonTreeOf(DOCUMENT)
const NONE = new Uint8Array()
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

const POLICY_FIELDS = [
  [120, 8],
  [128, 8],
  [128, 2],
  [136, 48],
  [184, 48],
  [184, 1],
  [217, 15],
  [232, 48],
  [280, 48],
  [328, 48],
] as const

function mutatedField(rng: Rng, body: Uint8Array): Uint8Array {
  const [offset, length] = rng.pick(POLICY_FIELDS)
  return mutateField(rng, body, offset, length)
}

/** Register and document: of version 1, or of version 3 with a genuine, a broken or a foreign document. */
function binding(rng: Rng): { readonly register: Uint8Array | null; readonly document: Uint8Array } {
  const text = rng.oneIn(4) ? JSON.stringify(DOCUMENT) : mutateDocument(rng, tree)
  const document = rng.oneIn(4) ? mutateBytes(rng, Buffer.from(text, "utf8")) : Buffer.from(text, "utf8")
  const of = (bytes: Uint8Array) => Buffer.from(configIdOfDocument(bytes).slice(2), "hex")
  switch (rng.below(5)) {
    case 0:
      return { register: null, document: rng.oneIn(4) ? document : NONE }
    case 1:
      return { register: of(Buffer.from(JSON.stringify(DOCUMENT))), document }
    case 2:
      return { register: mutateField(rng, of(document), 0, 48), document }
    default:
      return { register: of(document), document: rng.oneIn(8) ? NONE : document }
  }
}

/** The compose hash that version 3 binds through this document; null where it is no canonical document. */
function composeHashIn(document: Uint8Array): string | null {
  try {
    const text = Buffer.from(document).toString("latin1")
    const parsed = JSON.parse(text) as typeof DOCUMENT
    const { app_id, compose_hash, instance_id, key_provider, key_provider_id } = parsed
    const canonical = JSON.stringify({
      app_id,
      compose_hash,
      instance_id,
      key_provider,
      key_provider_id,
      version: 3,
    })
    const hexes = [app_id, compose_hash, instance_id, key_provider_id]
    const lower = hexes.every(
      (value) => typeof value === "string" && /^[0-9a-f]*$/.test(value) && value.length % 2 === 0,
    )
    return canonical === text &&
      lower &&
      typeof key_provider === "string" &&
      /^[a-z-]+$/.test(key_provider) &&
      compose_hash.length === 64
      ? compose_hash
      : null
  } catch {
    return null
  }
}

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0)

function oracle(
  body: Uint8Array,
  document: Uint8Array,
): AttestationErrorCode[] | { composeHash: string; imageId: string } {
  const faults: AttestationErrorCode[] = []
  const xfam = Buffer.from(body.subarray(128, 136)).readBigUInt64LE()
  if (hex(body.subarray(120, 128)) !== "0000001000000000") faults.push("POLICY_TD_ATTRIBUTES")
  if ((xfam & 3n) !== 3n || (xfam & ~0x65ae7n) !== 0n) faults.push("POLICY_XFAM")
  if (!isZero(body.subarray(232, 328))) faults.push("POLICY_OWNER")
  const register = body.subarray(184, 232)
  const [version] = register
  let composeHash = hex(register.subarray(1, 33))
  if (isZero(register)) faults.push("CONFIG_ID_MISSING")
  else if ((version !== 1 && version !== 3) || !isZero(register.subarray(33)))
    faults.push("CONFIG_ID_VERSION")
  else if (version === 1 && document.length > 0) faults.push("CONFIG_DOCUMENT_MISMATCH")
  else if (version === 3) {
    const bound = createHash("sha256").update("dstack-mr-config-v3:\0").update(document).digest("hex")
    const found = composeHashIn(document)
    if (document.length === 0) faults.push("CONFIG_DOCUMENT_MISSING")
    else if (bound !== composeHash) faults.push("CONFIG_DOCUMENT_MISMATCH")
    else if (found === null) faults.push("CONFIG_DOCUMENT_MALFORMED")
    composeHash = found ?? ""
  }
  if (/^0*$/.test(composeHash)) faults.push("CONFIG_ID_MISSING")
  if (faults.length > 0) return faults
  const image = joined(body.subarray(136, 184), body.subarray(328, 472))
  return { composeHash: `0x${composeHash}`, imageId: keccak(image) }
}

export const machine: Subject = {
  name: "trust domain and configuration document",
  weight: 10,
  run: (rng, target): Attempt<unknown> => {
    const { parts, keys } = rng.pick(SCENARIOS)
    const { register, document } = binding(rng)
    let body = register === null ? parts.body : withBytes(parts.body, 184, register)
    if (rng.oneIn(2)) body = mutatedField(rng, body)
    const verdict = verified(target, assemble(resign({ ...parts, body }, keys, true)), {
      ...options,
      collateral,
    })
    if (verdict.status === "refused") return verdict
    const outcome = attempt(() => target.appraiseMachine(verdict.value, document))
    const expected = oracle(body, document)
    if (outcome.status === "accepted") {
      if (Array.isArray(expected))
        throw new Violation(`appraised, but the oracle says ${expected.join(", ")}`)
      mustEqual("the machine", outcome.value, expected)
    } else if (!Array.isArray(expected) || !expected.includes(outcome.code))
      throw new Violation(`refused with ${outcome.code}, the oracle says ${JSON.stringify(expected)}`)
    return outcome
  },
}
