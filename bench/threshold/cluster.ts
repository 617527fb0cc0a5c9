/** The cluster of tests with nodes that measure themselves. */
import { join } from "node:path"
import type { RunningMember } from "@twinlock/devnet/network/devNetwork"
import {
  type ClusterOptions,
  type Cluster as Unmeasured,
  withCluster as withUnmeasured,
} from "../../test/support/cluster/cluster.ts"
import { type Meter, meterOf } from "./meter.ts"

export type Keyholder = RunningMember & { readonly meter: Meter }
export type Cluster = Omit<Unmeasured, "keyholders"> & { readonly keyholders: readonly Keyholder[] }

/** Starts everything, runs, stops everything. */
export function withCluster<T>(
  options: Omit<ClusterOptions, "name">,
  run: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const measured = {
    ...options,
    name: `bench-threshold-${options.n}`,
    program: join(import.meta.dirname, "measuredNode.ts"),
  }
  return withUnmeasured(measured, (cluster) => {
    const { paths } = cluster.base
    const keyholders = cluster.keyholders.map((keyholder) => ({
      ...keyholder,
      meter: meterOf(paths.socket(keyholder.member)),
    }))
    return run({ ...cluster, keyholders })
  })
}
