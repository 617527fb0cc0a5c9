/** A request as the gateway stores it. Words are read where the ABI has them: its general decoder costs more than all else here. */
import { decryptionGatewayAbi, REQUEST_STATUS } from "@twinlock/sdk/chain/abi"
import { needsEvidence } from "@twinlock/sdk/protocol/certificate"
import { type Address, parseAddress } from "@twinlock/sdk/protocol/ids"
import { Interface } from "ethers"

/** `demanding` waits too, for a result with evidence: the group's signature alone is not enough for it. */
export type RequestState = "unknown" | "pending" | "demanding" | "fulfilled" | "closed"

export const isWaiting = (state: RequestState): boolean => state === "pending" || state === "demanding"

/** What an endpoint does not know, it may not know yet. */
export const isSettled = (state: RequestState): boolean => state === "fulfilled" || state === "closed"

export type RequestFacts = {
  readonly state: RequestState
  readonly requester: Address
  readonly callbackGas: bigint
}

const STATES: Readonly<Record<number, RequestState>> = {
  [REQUEST_STATUS.none]: "unknown",
  [REQUEST_STATUS.pending]: "pending",
  // A late result is still stored for its requester.
  [REQUEST_STATUS.refunded]: "pending",
  [REQUEST_STATUS.cancelled]: "closed",
  [REQUEST_STATUS.fulfilled]: "fulfilled",
  [REQUEST_STATUS.callbackFailed]: "fulfilled",
  [REQUEST_STATUS.fulfilledLate]: "fulfilled",
}

/** Names of the struct's members, each of which is one word. */
const MEMBERS = (
  new Interface(decryptionGatewayAbi).getFunction("requestOf")?.outputs[0]?.components ?? []
).map(({ name }) => name)

/** @param returned by `requestOf`, as 0x hex. @throws unless it has the struct's length */
export function requestFacts(returned: string): RequestFacts {
  if (returned.length !== 2 + 64 * MEMBERS.length) throw new Error("no stored request")
  const word = (name: string): string => {
    const at = 2 + 64 * MEMBERS.indexOf(name)
    return returned.slice(at, at + 64)
  }
  const number = (name: string): number => Number.parseInt(word(name), 16)
  const state = STATES[number("status")] ?? "unknown"
  const demands = needsEvidence({
    endorsements: number("endorsements"),
    freshQuotes: number("freshQuotes"),
    groupOnly: false,
  })
  return {
    state: state === "pending" && demands ? "demanding" : state,
    requester: parseAddress(`0x${word("requester").slice(24)}`),
    callbackGas: BigInt(`0x${word("callbackGas")}`),
  }
}
