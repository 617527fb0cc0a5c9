/**
 * What is left of subjects that are open and need no work any more: enough to say own word once more where a peer visibly
 * needs it. Approval and shares are then made anew, the shares with the same bytes. Few are answered at a time: what peers
 * ask for must not slow down what is at work.
 */
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import { type HeardSince, needsAnswer } from "./answers.ts"
import type { Authorised } from "./authorisePublic.ts"

/** @typeParam O the owner */
export type Stub<O> = { readonly authorised: Authorised; readonly owner: O }

export type Stubs<O> = {
  add(stub: Stub<O>): void
  get(subject: Digest): Stub<O> | null
  delete(subject: Digest): void
  /** The party approves the subject: answered where it does so again. @param now milliseconds */
  heard(subject: Digest, party: PartyIndex, now: number): void
  /** Answered whoever needs it. */
  ask(subject: Digest): void
  /** Those to answer now, longest asked first; the rest waits for the next call. */
  due(): readonly Stub<O>[]
  /** True where shares of the subject belong to an answer, which is then complete. */
  answers(subject: Digest): boolean
  readonly size: number
}

type Kept<O> = Stub<O> & { heard: HeardSince | null }

/** Subjects answered at a time. */
export const ANSWERS_AT_ONCE = 64

export function createStubs<O>(): Stubs<O> {
  const stubs = new Map<Digest, Kept<O>>()
  const asked = new Set<Digest>()
  const answering = new Set<Digest>()
  const ask = (subject: Digest) => {
    if (stubs.has(subject)) asked.add(subject)
  }
  return {
    add: (stub) => void stubs.set(stub.authorised.subject, { ...stub, heard: null }),
    get: (subject) => stubs.get(subject) ?? null,
    delete(subject) {
      stubs.delete(subject)
      asked.delete(subject)
      answering.delete(subject)
    },
    heard(subject, party, now) {
      const stub = stubs.get(subject)
      if (stub === undefined) return
      stub.heard ??= new Map()
      if (needsAnswer(stub.heard, party, now)) ask(subject)
    },
    ask,
    due() {
      const subjects = [...asked].slice(0, ANSWERS_AT_ONCE)
      for (const subject of subjects) {
        asked.delete(subject)
        answering.add(subject)
      }
      return subjects.flatMap((subject) => stubs.get(subject) ?? [])
    },
    answers: (subject) => answering.delete(subject),
    get size() {
      return stubs.size
    },
  }
}
