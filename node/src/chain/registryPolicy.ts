/** What the node registry demands of a quote right now, read at the agreed head: peers are judged as the contract would. */
import type { AttestationPolicy } from "@twinlock/sdk/attestation/policy"
import { DEFAULT_POLICY } from "@twinlock/sdk/attestation/policy"
import { type Role, roleCode } from "@twinlock/sdk/attestation/role"
import { type Address, type Digest, parseAddress, parseDigest } from "@twinlock/sdk/protocol/ids"
import type { Measurement, PeerRequirements } from "../attestation/peerPolicy.ts"
import type { BlockRef } from "./chainView.ts"
import type { ContractReader } from "./contractReader.ts"
import { nodeRegistryInterface as nodesAbi, attestationPartsInterface as partsAbi } from "./contracts.ts"

export type RegistryPolicyDeps = {
  readonly reader: ContractReader
  readonly head: () => Promise<BlockRef>
  readonly nodeRegistry: Address
}

export type RegistryPolicy = {
  /** Allow-list entry (or none) for a measurement, floors and chain time. */
  requirements(measurement: Measurement): Promise<PeerRequirements>
  /** True while an active entry names this measurement. */
  isAllowed(measurement: Measurement, at: BlockRef): Promise<boolean>
  /** Smallest evaluation numbers that count. */
  floors(at: BlockRef): Promise<PeerRequirements["floors"]>
  /** Root that the contracts pin: keccak256(x ‖ y). */
  rootId(): Promise<Digest>
}

const ACTIVE = 2
export function createRegistryPolicy({ reader, head, nodeRegistry }: RegistryPolicyDeps): RegistryPolicy {
  const registry = { to: nodeRegistry, abi: nodesAbi }
  const entryIdOf = ({ role, imageId, composeHash }: Measurement, at: BlockRef): Promise<number> =>
    reader.call(
      { ...registry, method: "entryFor", args: [roleCode(role), imageId, composeHash] },
      at,
      ([id]) => Number(id),
    )

  const entriesFor = async (
    measurement: Measurement,
    at: BlockRef,
  ): Promise<AttestationPolicy["entries"]> => {
    const entryId = await entryIdOf(measurement, at)
    if (entryId === 0) return []
    return reader.call({ ...registry, method: "entryOf", args: [entryId] }, at, ([entry, status]) => {
      if (Number(status) !== ACTIVE) return []
      const role: Role = measurement.role
      const providerId = parseDigest(String(entry.providerId))
      return [{ ...measurement, role, providerId, version: Number(entry.version) }]
    })
  }
  const floorsAt = (at: BlockRef): Promise<PeerRequirements["floors"]> =>
    reader.call({ ...registry, method: "floors", args: [] }, at, ([tcb, qe]) => ({
      tcb: Number(tcb),
      qe: Number(qe),
    }))
  const getter = <T>(to: Address, method: string, at: BlockRef, parse: (text: string) => T): Promise<T> =>
    reader.call({ to, abi: partsAbi, method, args: [] }, at, ([value]) => parse(String(value)))

  return {
    async requirements(measurement) {
      const at = await head()
      const [entries, floors] = await Promise.all([entriesFor(measurement, at), floorsAt(at)])
      // Denied machines have no standing: the registry itself says so for each signer.
      return { policy: { ...DEFAULT_POLICY, entries }, floors, time: Number(at.timestamp) }
    },
    floors: floorsAt,
    isAllowed: async (measurement, at) => (await entryIdOf(measurement, at)) !== 0,
    async rootId() {
      const at = await head()
      const verifier = await getter(nodeRegistry, "quoteVerifier", at, parseAddress)
      const collateral = await getter(verifier, "collateral", at, parseAddress)
      return getter(collateral, "rootKeyHash", at, parseDigest)
    },
  }
}
