/** What the contracts hold of Intel's collateral for one kind of machine, read at an agreed block. */
import { collateralStoreAbi } from "@twinlock/sdk/chain/abi"
import { type Address, type Digest, type Hex, parseAddress } from "@twinlock/sdk/protocol/ids"
import { Interface } from "ethers"
import type { HeldCollateral, HeldSet } from "../attestation/ingestPlan.ts"
import type { BlockRef } from "./chainView.ts"
import type { ContractReader } from "./contractReader.ts"
import { attestationPartsInterface } from "./contracts.ts"

export const collateralStoreInterface: Interface = new Interface(collateralStoreAbi)

export type CollateralView = {
  /** Address of the store behind the registry. */
  store(at: BlockRef): Promise<Address>
  /** @param fmspc 6 bytes. @param caId of the CA that issued the machine's certificate. */
  held(fmspc: Hex, caId: Digest, at: BlockRef): Promise<HeldCollateral>
}

/** The store keeps a handful of sets per kind; more than this is not read. */
const MAX_SETS = 8

export function createCollateralView(reader: ContractReader, nodeRegistry: Address): CollateralView {
  const addressOf = (to: Address, method: string, at: BlockRef): Promise<Address> =>
    reader.call({ to, abi: attestationPartsInterface, method, args: [] }, at, ([value]) =>
      parseAddress(String(value).toLowerCase()),
    )

  const store = async (at: BlockRef): Promise<Address> => {
    return addressOf(await addressOf(nodeRegistry, "quoteVerifier", at), "collateral", at)
  }

  async function setsOf(to: Address, method: string, args: readonly unknown[], at: BlockRef) {
    const sets: HeldSet[] = []
    for (let rank = 0; rank < MAX_SETS; rank++) {
      const call = { to, abi: collateralStoreInterface, method, args: [...args, rank] }
      const set = await reader.call(call, at, ([{ data, issuedAt, expiresAt, evaluation }]) =>
        BigInt(data) === 0n
          ? null
          : {
              issuedAt: Number(issuedAt),
              expiresAt: Number(expiresAt),
              evaluation: Number(evaluation),
            },
      )
      if (set === null) break
      sets.push(set)
    }
    return sets
  }

  return {
    store,
    async held(fmspc, caId, at) {
      const to = await store(at)
      const abi = collateralStoreInterface
      const [rootCrl, authority, tcbSets, qeIdentities] = await Promise.all([
        reader.call({ to, abi, method: "rootCrl", args: [] }, at, ([thisUpdate, nextUpdate]) => ({
          issuedAt: Number(thisUpdate),
          expiresAt: Number(nextUpdate),
        })),
        reader.call({ to, abi, method: "intermediateCa", args: [caId] }, at, ([ca]) =>
          BigInt(ca.x) === 0n
            ? null
            : { caId, issuedAt: Number(ca.crlIssuedAt), expiresAt: Number(ca.expiresAt) },
        ),
        setsOf(to, "tcbInfo", [fmspc], at),
        setsOf(to, "qeIdentity", [], at),
      ])
      return { rootCrl, authority, tcbSets, qeIdentities }
    },
  }
}
