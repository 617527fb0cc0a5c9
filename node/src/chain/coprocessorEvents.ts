/** What the coprocessor asked for, in chain order, as a majority of endpoints reports it. */
import {
  type Address,
  type Digest,
  type Handle,
  type Hex,
  type KeyId,
  parseAddress,
  parseDigest,
  parseHandle,
  parseKeyId,
} from "@twinlock/sdk/protocol/ids"
import type { HashedBlock } from "./blockHashes.ts"
import { coprocessorInterface } from "./contracts.ts"
import type { ChainEvent, EventReader } from "./eventReader.ts"

export type CoprocessorEvent =
  | {
      readonly kind: "operation"
      readonly operator: number
      readonly result: Handle
      readonly lhs: Hex
      readonly rhs: Hex
      readonly third: Hex
      readonly scalar: boolean
      readonly digest: Digest
    }
  | {
      readonly kind: "input"
      readonly keyId: KeyId
      readonly contract: Address
      readonly user: Address
      readonly listDigest: Digest
      readonly handles: readonly Handle[]
    }
  /** Somebody else than its owner may read the handle under a permit. */
  | { readonly kind: "allowed"; readonly handle: Handle; readonly account: Address; readonly by: Address }
  | { readonly kind: "allowed-for-decryption"; readonly handle: Handle }

export type LocatedEvent = { readonly blockNumber: bigint; readonly event: CoprocessorEvent }

type Parse = (args: ChainEvent["args"]) => CoprocessorEvent

const PARSERS: Readonly<Record<string, Parse>> = {
  Operation: (args) => ({
    kind: "operation",
    operator: Number(args["operator"]),
    result: parseHandle(args["result"]),
    lhs: args["lhs"],
    rhs: args["rhs"],
    third: args["third"],
    scalar: args["scalar"],
    digest: parseDigest(args["digest"]),
  }),
  InputVerified: (args) => ({
    kind: "input",
    keyId: parseKeyId(args["keyId"]),
    contract: parseAddress(args["contractAddress"]),
    user: parseAddress(args["user"]),
    listDigest: parseDigest(args["listDigest"]),
    handles: [...args["handles"]].map(parseHandle),
  }),
  Allowed: (args) => ({
    kind: "allowed",
    handle: parseHandle(args["handle"]),
    account: parseAddress(args["account"]),
    by: parseAddress(args["by"]),
  }),
  AllowedForDecryption: (args) => ({ kind: "allowed-for-decryption", handle: parseHandle(args["handle"]) }),
}

/** Events of blocks from..to, both included, before or at the agreed head. @throws ChainErrorCode */
export async function coprocessorEvents(
  reader: EventReader,
  coprocessor: Address,
  from: bigint,
  to: bigint,
  head: HashedBlock,
): Promise<readonly LocatedEvent[]> {
  const filter = { address: coprocessor, abi: coprocessorInterface, events: Object.keys(PARSERS) }
  const found = await reader.between(filter, from, to, head)
  return found.map(({ name, args, blockNumber }) => ({ blockNumber, event: parseEvent(name, args) }))
}

function parseEvent(name: string, args: ChainEvent["args"]): CoprocessorEvent {
  const parse = PARSERS[name]
  if (parse === undefined) throw new Error(`${name} was not asked for`)
  return parse(args)
}
