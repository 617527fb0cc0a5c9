/**
 * From a finalised request to its certificate, one at a time. The clock starts when the block that ends the request's
 * cancel window is the finalised head, and stops when the coordinator has the whole certificate. Between the request's own
 * block and that one pass at least two more, as on any chain: nodes may use that time to fetch blobs.
 */

import { FINALITY_BLOCKS } from "../../test/support/cluster/chainControl.ts"
import { CANCEL_WINDOW } from "../../test/support/cluster/cluster.ts"
import type { Delivered } from "../../test/support/cluster/coordinatorStub.ts"
import type { Asked, Openable } from "../../test/support/cluster/load.ts"
import type { Cluster } from "./cluster.ts"

/** Between the finality of the request's block and that of the block that ends its window; half a slot is more. */
const WINDOW_MS = 400
/** Nothing is under way when the next request comes. */
const QUIET_MS = 100
const TIMEOUT_MS = 60_000

export type Sample = { readonly asked: Asked; readonly delivered: Delivered; readonly ms: number }

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

export async function measureLatency(
  cluster: Cluster,
  handles: readonly Openable[],
): Promise<readonly Sample[]> {
  const samples: Sample[] = []
  for (const handle of handles) {
    const sample = await sampleOf(cluster, handle)
    samples.push(sample)
    await cluster.load.fulfil([sample.delivered])
    await pause(QUIET_MS)
  }
  return samples
}

async function sampleOf({ control, load, coordinator }: Cluster, handle: Openable): Promise<Sample> {
  await load.send([handle])
  await control.mine()
  const { number, timestamp } = await control.latest()
  const [asked] = await load.asked(number)
  if (asked === undefined) throw new Error("the request is not in its block")
  const delivery = within(coordinator.delivery(asked.requestId), `the certificate of ${asked.requestId}`)
  await control.mine(timestamp + CANCEL_WINDOW)
  for (let i = 1; i < FINALITY_BLOCKS; i++) await control.mine(timestamp + CANCEL_WINDOW)
  await pause(WINDOW_MS)
  const from = performance.now()
  await control.mine(timestamp + CANCEL_WINDOW)
  const delivered = await delivery
  return { asked, delivered, ms: delivered.at - from }
}

function within<T>(promise: Promise<T>, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`waited ${TIMEOUT_MS / 1000} s for ${what}`)), TIMEOUT_MS)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
