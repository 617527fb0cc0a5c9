/**
 * Which requests a node works on next (protocol §6): everything open on the gateway is remembered in chain order, little of
 * it is at work at once. Requesters take turns: the first requests of all come before anybody's second, so that one with
 * ten thousand requests delays another's single one by no more than the work that is under way. Nodes that see the same
 * open requests choose the same ones. Pure.
 */
import type { Address, RequestId } from "@twinlock/sdk/protocol/ids"
import type { DecryptionRequest } from "../chain/chainView.ts"

/**
 * new: nothing was read about it. waiting: to be judged, perhaps again. working: words and ledger are being looked at.
 * approving: approved by this node. lingering: its shares left, and others' do not come. opened, refused: until the chain
 * has settled the request. resting: it was opened, and nothing of it is kept for a while.
 */
export type RequestState =
  | "new"
  | "waiting"
  | "working"
  | "approving"
  | "lingering"
  | "opened"
  | "resting"
  | "refused"

export type Pending = {
  readonly requestId: RequestId
  /** First block of the range in which it was found. */
  readonly seenAt: bigint
  state: RequestState
  requester: Address | null
  /** Chain time in seconds from which it can be judged at all. */
  from: bigint
  /** As read at the block of the judgement; kept while it is at work. */
  request: DecryptionRequest | null
  reason: string | null
  failures: number
  /** Not before this time (milliseconds) and not again at this block. */
  notBefore: number
  lookedAt: bigint
  /** Block at which its status was read. */
  checkedAt: bigint
  /** Milliseconds since which it is approved without being opened, or rests. */
  since: number
}

export const newPending = (requestId: RequestId, seenAt: bigint): Pending => ({
  ...{ requestId, seenAt, state: "new", requester: null, from: 0n, request: null },
  ...{ reason: null, failures: 0, notBefore: 0, lookedAt: -1n, checkedAt: -1n, since: 0 },
})

const LONGEST_PAUSE_MS = 10_000

/** It failed, and is tried again after a pause. @param now milliseconds */
export function postpone(entry: Pending, now: number): void {
  entry.failures += 1
  entry.notBefore = now + Math.min(100 * 2 ** entry.failures, LONGEST_PAUSE_MS)
}

/** As one that was never judged. */
export function waitAgain(entry: Pending): void {
  entry.state = "waiting"
  entry.failures = 0
  entry.notBefore = 0
}

export const isAtWork = ({ state }: Pending): boolean => state === "working" || state === "approving"

/** Requests at work at once. */
export const AT_WORK = 128
/** Further places, for requesters that have nothing at work. */
export const RESERVED = 64

/** What may be judged now. A failure beside the chain may pass at the same block; all else is a function of the block. */
export const isDue = (entry: Pending, at: { number: bigint; timestamp: bigint }, now: number): boolean =>
  entry.state === "waiting" &&
  at.timestamp >= entry.from &&
  now >= entry.notBefore &&
  (entry.lookedAt < at.number || entry.notBefore > 0)

/**
 * The requests to start now, best first.
 * @param pending all of them, in chain order
 */
export function nextRequests(
  pending: Iterable<Pending>,
  at: { readonly number: bigint; readonly timestamp: bigint },
  now: number,
): readonly Pending[] {
  const atWork = new Map<Address | null, number>()
  const due: Pending[] = []
  let working = 0
  for (const entry of pending) {
    if (isAtWork(entry)) {
      working += 1
      atWork.set(entry.requester, (atWork.get(entry.requester) ?? 0) + 1)
    } else if (isDue(entry, at, now)) due.push(entry)
  }
  const room = Math.max(0, AT_WORK - working)
  const fresh = inTurns(due.filter(isFresh), atWork)
  const failed = inTurns(
    due.filter((entry) => !isFresh(entry)).sort((a, b) => Number(a.lookedAt - b.lookedAt)),
    atWork,
  ).flat()
  // What failed before comes after what did not, but a quarter of the room is always its own.
  const retries = Math.min(failed.length, Math.max(Math.ceil(room / 4), room - fresh.flat().length))
  const chosen = [...fresh.flat().slice(0, room - retries), ...failed.slice(0, retries)]
  const idle = (fresh[0] ?? []).filter((entry) => !chosen.includes(entry))
  return [...chosen, ...idle.slice(0, Math.max(0, AT_WORK + RESERVED - working - chosen.length))]
}

const isFresh = ({ failures }: Pending): boolean => failures === 0

/** Everybody's first, everybody's second, …, each in the order given. What a requester has at work counts as turns taken. */
function inTurns(
  due: readonly Pending[],
  atWork: ReadonlyMap<Address | null, number>,
): readonly (readonly Pending[])[] {
  const taken = new Map(atWork)
  const turns: Pending[][] = []
  for (const entry of due) {
    const turn = taken.get(entry.requester) ?? 0
    taken.set(entry.requester, turn + 1)
    while (turns.length <= turn) turns.push([])
    turns[turn]?.push(entry)
  }
  return turns
}
