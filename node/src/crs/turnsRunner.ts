/**
 * Runs one party of a CRS ceremony on its own: carries what comes to the rules in `turns.ts`, and carries out what they want. All
 * parties start it within the time of one delivery; a party that restarts must not take part again.
 */
import { fromHex } from "@twinlock/sdk/protocol/codec"
import { assertNever, ProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Address, type Digest, type PartyIndex, parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import type { SignerRecovery } from "@twinlock/sdk/protocol/signature"
import type { SeatSigner } from "../ceremony/attempt.ts"
import type { KeygenEngine } from "../ceremony/engine.ts"
import { createOutbox } from "../ceremony/outbox.ts"
import type { Scheduler } from "../clock.ts"
import type { Network } from "../p2p/network.ts"
import type { Logger } from "../telemetry/logger.ts"
import { createStatementCheck, type Statement, statementHash } from "./certificate.ts"
import { type CrsCommittee, contributors, isClosing, partyOfTurn, updatesDigest } from "./crsCommittee.ts"
import type { CrsRecord } from "./crsRecord.ts"
import { nextTurns, startTurns } from "./turns.ts"
import { decodeTurnsMessage, decodeUpdateQuery, encodeTurnsMessage } from "./turnsMessages.ts"
import { TURNS_PROTOCOL, type TurnsRouter } from "./turnsRouter.ts"
import type {
  CrsFault,
  TurnsEffect,
  TurnsErrorCode,
  TurnsEvent,
  TurnsMessage,
  TurnsState,
  TurnsTimes,
} from "./turnsState.ts"
import { auditUpdates, type CrsChecks, contextOf, ruleOf, updateRefusal } from "./updateCheck.ts"
import type { UpdateCrs } from "./updateProcess.ts"
import { createUpdateStore } from "./updateStore.ts"

export type TurnsDeps = {
  readonly network: Network
  readonly router: TurnsRouter
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly sign: SeatSigner
  /** The SDK's own where absent; the node has a faster one in its addon. */
  readonly recover?: SignerRecovery
  readonly update: UpdateCrs
  readonly engine: CrsChecks & Pick<KeygenEngine, "crsAssemble">
}

export type TurnsResult = {
  /** Proven by {@link judgeCrsFault}, with bytes of {@link TurnsRun.updateBytes}. */
  readonly faults: readonly CrsFault[]
} & (
  | {
      readonly status: "finished"
      readonly record: CrsRecord
      readonly file: Uint8Array
      /** Who is not in it, for whatever reason. */
      readonly skipped: readonly PartyIndex[]
    }
  | { readonly status: "failed"; readonly code: TurnsErrorCode }
)

export type TurnsRun = {
  /** Rejects where this node cannot go on, or was stopped before the end. */
  readonly ended: Promise<TurnsResult>
  updateBytes(message: Digest): Uint8Array | undefined
  /** From then on others get nothing more from here: not before they had their time to end, too. */
  stop(): void
}

export type TurnsRunErrorCode =
  /** the process stopped while the ceremony ran. */
  "CRS_STOPPED"

export function runTurns(
  committee: CrsCommittee,
  self: PartyIndex,
  times: TurnsTimes,
  deps: TurnsDeps,
): TurnsRun {
  const { network, scheduler, engine } = deps
  const { ceremony, parties } = committee
  const n = parties.length
  const logger = deps.logger.child({ crs: ceremony, party: self })
  const lifetime = new AbortController()
  const others = parties.filter((_, at) => at !== self - 1)
  const outbox = createOutbox({ network, scheduler, signal: lifetime.signal }, (error) =>
    logger.error({ err: error }, "a message of the CRS cannot be delivered"),
  )
  const store = createUpdateStore(ceremony, { network, scheduler })
  const queue: TurnsEvent[] = []
  const { promise: ended, resolve, reject } = Promise.withResolvers<TurnsResult>()
  let turnLife = new AbortController()
  let draining = false

  const addressesOf = (sources: readonly PartyIndex[]): readonly Address[] =>
    sources.flatMap((party) => (party === self ? [] : (parties[party - 1] ?? [])))
  const send = (message: TurnsMessage): void => {
    const bytes = encodeTurnsMessage(ceremony, message)
    for (const address of others) outbox.send(address, TURNS_PROTOCOL, bytes)
  }
  /** Own work; what goes wrong in it costs this party the turn, no more. */
  const run = (name: string, work: () => Promise<void>): void => {
    const { signal } = turnLife
    work().catch((error: unknown) => {
      if (!signal.aborted) logger.error({ err: error }, `the ${name} of the CRS failed`)
    })
  }

  async function speak(statement: Statement, messageOf: (signature: Uint8Array) => TurnsMessage) {
    const message = messageOf(await deps.sign(statementHash(ceremony, statement)))
    send(message)
    dispatch({ kind: "message", message })
  }

  async function make({ turn, updates, sources }: Extract<TurnsEffect, { readonly kind: "make" }>) {
    const last = updates.at(-1)
    const { signal } = turnLife
    const previous = last && (await store.fetch(last.message, addressesOf(sources), signal))
    const state = previous === undefined ? null : engine.crsState(previous)
    const bytes = await deps.update(state, contextOf(committee, turn, updates), signal)
    dispatch({ kind: "made", message: store.put(bytes), link: engine.crsLink(bytes) })
  }

  async function check({ turn, updates, digest, sources }: Extract<TurnsEffect, { readonly kind: "check" }>) {
    const { signal } = turnLife
    const wanted = updates.slice(isClosing(turn, n) ? -1 : -2).reverse()
    const [message, previous = null] = await Promise.all(
      wanted.map((entry) => store.fetch(entry.message, addressesOf(sources), signal)),
    )
    if (message === undefined) throw new Error("no update to check")
    const refusal = isClosing(turn, n)
      ? await auditUpdates(committee, updates, engine.crsState(message), engine).then(() => null, ruleOf)
      : await updateRefusal(committee, updates, message, previous, engine)
    if (refusal !== null) logger.warn({ turn, refusal }, "an update of the CRS is refused")
    dispatch({ kind: "checked", turn, digest, refusal })
  }

  async function end(): Promise<void> {
    const faults = [...state.faults.values()]
    if (state.code !== null) return resolve({ status: "failed", code: state.code, faults })
    const { conclusion } = state
    const last = conclusion?.updates.at(-1)
    const message = last && store.get(last.message)
    if (!conclusion || message === undefined) throw new Error("an end without a list")
    const { turn, updates, signatures } = conclusion
    const list = engine.crsState(message)
    const file = await engine.crsAssemble(list, fromHex(updatesDigest(ceremony, updates)))
    const record = { conclusion: { turn, updates, signatures }, state: list }
    const present = contributors(updates, n)
    const skipped = parties.map((_, at) => partyOfTurn(at, n)).filter((party) => !present.includes(party))
    logger.info({ contributors: present, skipped }, "the CRS is made")
    resolve({ status: "finished", record, file, skipped, faults })
  }

  function perform(effect: TurnsEffect): void {
    switch (effect.kind) {
      case "propose": {
        const { statement, proposal } = effect
        run("proposal", () => speak(statement, (signature) => ({ kind: "proposal", proposal, signature })))
        break
      }
      case "state": {
        const { statement } = effect
        run("statement", () =>
          speak(statement, (signature) => ({
            ...{ kind: "statement", statement: { ...statement, party: self, signature } },
          })),
        )
        break
      }
      case "send":
        send(effect.message)
        break
      case "set-timer": {
        const { timer, turn, milliseconds } = effect
        if (timer === "turn") {
          turnLife.abort()
          turnLife = new AbortController()
          logger.info({ turn, of: n }, "turn of the CRS")
        }
        const cancel = scheduler.after(milliseconds, () => dispatch({ kind: "timeout", timer, turn }))
        turnLife.signal.addEventListener("abort", cancel)
        break
      }
      case "make":
        run("update", () => make(effect))
        break
      case "check":
        run("check", () => check(effect))
        break
      case "end":
        turnLife.abort()
        end().catch(reject)
        break
      default:
        assertNever(effect)
    }
  }

  function dispatch(event: TurnsEvent): void {
    if (lifetime.signal.aborted) return
    queue.push(event)
    if (draining) return
    draining = true
    try {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const step = nextTurns(state, next)
        state = step.state
        for (const effect of step.effects) perform(effect)
      }
    } finally {
      draining = false
    }
  }

  const requireSeat = (address: Address): void => {
    if (!parties.includes(address))
      throw new ProtocolError({ code: "CRS_FOREIGN", message: `${address} holds no seat of this ceremony` })
  }

  const first = startTurns({
    ...{ committee, times, self: parsePartyIndex(self, n) },
    check: createStatementCheck(committee, deps.recover),
  })
  let state: TurnsState = first.state
  const detach = deps.router.attach(ceremony, {
    receive(from, payload) {
      requireSeat(from)
      dispatch({ kind: "message", message: decodeTurnsMessage(payload, n) })
    },
    serve(from, query) {
      requireSeat(from)
      const bytes = store.get(decodeUpdateQuery(query))
      if (bytes === undefined)
        throw new ProtocolError({ code: "CRS_UNKNOWN_UPDATE", message: "these bytes are not here" })
      return bytes
    },
  })
  for (const effect of first.effects) perform(effect)

  return {
    ended,
    updateBytes: store.get,
    stop() {
      lifetime.abort()
      turnLife.abort()
      detach()
      reject(new ProtocolError({ code: "CRS_STOPPED", message: "stopped before the CRS was made" }))
    },
  }
}
