/**
 * Tells when a committee starts an epoch: then every channel is attested again (protocol §2), so that nobody enters an
 * epoch on the word of an older quote.
 */
import type { Address } from "@twinlock/sdk/protocol/ids"
import type { ChainView } from "./chain/chainView.ts"
import { keyRegistryInterface } from "./chain/contracts.ts"
import type { EventReader } from "./chain/eventReader.ts"
import type { Scheduler } from "./clock.ts"
import type { Service } from "./nodeContext.ts"
import { every, repeat } from "./repeat.ts"
import type { Logger } from "./telemetry/logger.ts"

export type EpochWatchOptions = { readonly keyRegistry: Address; readonly pollMs: number }

export type EpochWatchDeps = {
  readonly chain: Pick<ChainView, "head">
  readonly events: Pick<EventReader, "between">
  /** Called once for all epochs that started between two looks. */
  readonly onEpoch: () => Promise<void>
  readonly scheduler: Scheduler
  readonly logger: Logger
}

/** Epochs that started before the first look are not told: every channel is newer. */
export function watchEpochs(
  { keyRegistry, pollMs }: EpochWatchOptions,
  { chain, events, onEpoch, scheduler, logger }: EpochWatchDeps,
): Service & { look(): Promise<void> } {
  let seen: bigint | null = null

  async function look(): Promise<void> {
    const head = await chain.head()
    const { number } = head
    const from = seen === null ? number + 1n : seen + 1n
    if (from > number) {
      seen ??= number
      return
    }
    const filter = { address: keyRegistry, abi: keyRegistryInterface, events: ["KeyActivated"] }
    const started = await events.between(filter, from, number, head)
    if (started.length > 0) {
      logger.info({ epochs: started.length }, "an epoch started: channels are attested again")
      await onEpoch()
    }
    seen = number
  }

  const looks = repeat(scheduler, look, {
    pause: every(pollMs),
    onError: (error) => logger.warn({ err: error }, "epochs cannot be watched"),
  })
  return {
    look,
    async start() {
      looks.start()
    },
    async stop() {
      looks.stop()
    },
  }
}
