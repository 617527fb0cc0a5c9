/** Decodes the structs of the contracts into the view's types; whatever does not fit is CHAIN_MALFORMED. */

import { KEY_STATUS, REQUEST_STATUS, ROLE } from "@twinlock/sdk/chain/abi"
import type { AcceptancePolicy } from "@twinlock/sdk/protocol/certificate"
import { type Address, type Digest, parseAddress, parseDigest } from "@twinlock/sdk/protocol/ids"
import type { Result } from "ethers"
import type { Fields } from "./abiWords.ts"
import { chainError } from "./chainError.ts"
import type {
  CommitmentState,
  DecryptionRequest,
  HostBinding,
  KeyActivation,
  KeyRecord,
  NodeRecord,
  NodeRole,
} from "./chainView.ts"

/** A struct, by whichever decoder. */
type Struct = Fields | Result

const digestOf = (struct: Struct, field: string): Digest => parseDigest(String(struct[field]))
const addressOf = (struct: Struct, field: string): Address => parseAddress(String(struct[field]))

function nodeRoleOf(code: number): NodeRole {
  switch (code) {
    case ROLE.keyholder:
      return "keyholder"
    case ROLE.executor:
      return "executor"
    default:
      throw chainError("CHAIN_MALFORMED", `unknown role ${code}`)
  }
}

/** Null where the signer never registered. `liveUntil` is the record's own expiry. */
export function nodeRecordOf(signer: Address, node: Fields): NodeRecord | null {
  const role = Number(node["role"])
  if (role === ROLE.none) return null
  return {
    signer,
    operator: addressOf(node, "operator"),
    role: nodeRoleOf(role),
    peerIdHash: digestOf(node, "peerIdHash"),
    configHash: digestOf(node, "configHash"),
    ppid: `0x${String(node["ppid"]).slice(2).toLowerCase()}`,
    liveUntil: BigInt(String(node["expiresAt"])),
    revoked: node["revoked"] === true,
  }
}

/** Null where the key is unknown. */
export function keyStatusOf(code: unknown): KeyRecord["status"] | null {
  switch (Number(code)) {
    case KEY_STATUS.none:
      return null
    case KEY_STATUS.proposed:
      return "proposed"
    case KEY_STATUS.active:
      return "active"
    case KEY_STATUS.discarded:
      return "discarded"
    default:
      throw chainError("CHAIN_MALFORMED", `unknown key status ${code}`)
  }
}

export const hostOf = (host: Result): HostBinding => ({
  chainId: BigInt(host["chainId"]),
  coprocessor: addressOf(host, "coprocessor"),
  gateway: addressOf(host, "gateway"),
})

/** @param key struct of the registry. @param header of the verifier, which holds the group key. */
export const activationOf = (key: Result, header: Result): KeyActivation => ({
  publicKeyDigest: digestOf(key, "publicKeyDigest"),
  serverKeyDigest: digestOf(key, "serverKeyDigest"),
  crsDigest: digestOf(key, "crsDigest"),
  transcriptDigest: digestOf(key, "transcriptDigest"),
  groupX: BigInt(header["groupX"]),
  groupV: Number(header["groupV"]),
})

const NO_LEAF = `0x${"0".repeat(64)}`

export function commitmentStateOf(final: Fields): CommitmentState {
  const leaf = digestOf(final, "leaf")
  return { leaf, status: final["frozen"] === true ? "frozen" : leaf === NO_LEAF ? "none" : "final" }
}

/** What the gateway stores of a request. */
export type StoredRequest = Pick<DecryptionRequest, "requester" | "deadline" | "status"> & {
  readonly requestedAt: bigint
  readonly handlesHash: Digest
  readonly policy: AcceptancePolicy
}

/** A delivered result is fulfilled, whether its callback went through or not. */
function requestStatusOf(code: number): DecryptionRequest["status"] | null {
  switch (code) {
    case REQUEST_STATUS.none:
      return null
    case REQUEST_STATUS.pending:
      return "open"
    case REQUEST_STATUS.cancelled:
      return "cancelled"
    case REQUEST_STATUS.fulfilled:
    case REQUEST_STATUS.callbackFailed:
    case REQUEST_STATUS.fulfilledLate:
      return "fulfilled"
    case REQUEST_STATUS.refunded:
      return "refunded"
    default:
      throw chainError("CHAIN_MALFORMED", `unknown request status ${code}`)
  }
}

/** Null where the request is unknown. */
export function storedRequestOf(request: Fields): StoredRequest | null {
  const status = requestStatusOf(Number(request["status"]))
  if (status === null) return null
  return {
    status,
    requester: addressOf(request, "requester"),
    requestedAt: BigInt(String(request["requestedAt"])),
    deadline: BigInt(String(request["deadline"])),
    handlesHash: digestOf(request, "handlesHash"),
    policy: {
      endorsements: Number(request["endorsements"]),
      freshQuotes: Number(request["freshQuotes"]),
      groupOnly: request["groupOnly"] === true,
    },
  }
}
