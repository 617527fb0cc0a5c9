/**
 * Which key an executor serves: the active one of the contracts that it computes for, if it is one of the key's executors.
 * A network has a key for each host; a registry may name the same executor in several of them.
 */
import type { HandleDomain } from "@twinlock/sdk/protocol/handles"
import type { Address } from "@twinlock/sdk/protocol/ids"
import type { KeyRecord } from "../chain/chainView.ts"

export type ActiveKey = KeyRecord & { readonly status: "active" }

export function isOwnKey(
  record: KeyRecord,
  { self, domain }: { readonly self: Address; readonly domain: HandleDomain },
): record is ActiveKey {
  const { host, executors } = record.proposal
  return (
    record.status === "active" &&
    host.chainId === domain.chainId &&
    host.coprocessor === domain.coprocessor &&
    executors.includes(self)
  )
}
