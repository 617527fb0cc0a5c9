/** Looks at the proposal on chain while an attempt runs: the chain alone says whether the key lives. */
import type { KeyId } from "@twinlock/sdk/protocol/ids"
import type { ChainView, KeyActivation } from "../chain/chainView.ts"
import type { Cancel, Scheduler } from "../clock.ts"
import type { Logger } from "../telemetry/logger.ts"
import type { CeremonyEvent } from "./state.ts"

export type ChainWatchDeps = {
  readonly chain: Pick<ChainView, "head" | "key">
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly pollMs: number
}

/** Field by field: what this party signed and what the chain shows. */
export const sameActivation = (a: KeyActivation, b: KeyActivation): boolean =>
  a.publicKeyDigest === b.publicKeyDigest &&
  a.serverKeyDigest === b.serverKeyDigest &&
  a.crsDigest === b.crsDigest &&
  a.transcriptDigest === b.transcriptDigest &&
  a.groupX === b.groupX &&
  a.groupV === b.groupV

/** What the newest agreed block says about the key; null while it is proposed and in time. */
export async function readProposal(
  keyId: KeyId,
  chain: Pick<ChainView, "head" | "key">,
  signed: () => KeyActivation | null,
): Promise<CeremonyEvent | null> {
  const head = await chain.head()
  const record = await chain.key(keyId, head)
  if (record === null) return null
  switch (record.status) {
    case "active": {
      const own = signed()
      return { kind: "activated", ours: own !== null && sameActivation(own, record.activation) }
    }
    case "discarded":
      return { kind: "discarded" }
    case "proposed":
      return head.timestamp > record.proposal.deadline ? { kind: "expired" } : null
  }
}

/** Emits at most one event. Reads that fail are repeated: only an agreed answer counts. */
export function watchProposal(
  keyId: KeyId,
  deps: ChainWatchDeps,
  signed: () => KeyActivation | null,
  emit: (event: CeremonyEvent) => void,
): Cancel {
  let stopped = false
  let cancel: Cancel = () => {}
  const look = async (): Promise<void> => {
    const event = await readProposal(keyId, deps.chain, signed).catch((error: unknown) => {
      deps.logger.warn({ err: error, ceremony: keyId }, "the proposal cannot be read")
      return null
    })
    if (stopped) return
    if (event === null) cancel = deps.scheduler.after(deps.pollMs, () => void look())
    else emit(event)
  }
  cancel = deps.scheduler.after(deps.pollMs, () => void look())
  return () => {
    stopped = true
    cancel()
  }
}
