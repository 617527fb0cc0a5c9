/**
 * States, events and effects of one ceremony attempt (protocol §4). Plain data; `transition.ts` holds the rules,
 * `runner.ts` the I/O. Payloads in here are broadcasts (public) and sealed parts (opaque to everyone but the engine).
 */
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import type { Attempt, CeremonyErrorCode } from "./attempt.ts"
import type { SignedHeader } from "./header.ts"
import type { Abort, AbortWord, Echo, RoundLimits, RoundMessage } from "./messages.ts"

/** One round of signed broadcast and echo. */
export type RoundSpec = RoundLimits & {
  /** Lower-case words and dashes; unique in the attempt. */
  readonly name: string
  /** For the messages of all speakers, and again for the echoes. */
  readonly timeoutMs: number
  /** Once this node's message of such a round exists, only the chain decides whether the key lives. */
  readonly binding: boolean
  /** Whether the transcript bundle keeps the broadcasts beside their hashes. */
  readonly kept: boolean
}

/** What this node sends in a round. */
export type OwnMessage = {
  readonly header: SignedHeader
  readonly broadcast: Uint8Array
  /** By party index − 1. */
  readonly sealed: readonly (Uint8Array | null)[]
}

/** What a round brought, after all echoes agreed. */
export type Incoming = {
  readonly round: number
  /** Agreed digest of this round. */
  readonly digest: Digest
  /** By speaker, own included. */
  readonly broadcasts: ReadonlyMap<PartyIndex, Uint8Array>
  /** Sealed to this node, by speaker; own excluded. */
  readonly sealed: ReadonlyMap<PartyIndex, Uint8Array>
}

/** What is known of a round that is not over. */
export type RoundView = {
  /** First signed header seen of each party, from its message or from anybody's echo. */
  readonly headers: ReadonlyMap<PartyIndex, SignedHeader>
  readonly messages: ReadonlyMap<PartyIndex, RoundMessage>
  readonly echoes: ReadonlyMap<PartyIndex, Echo>
}

/** What stays of a round that is over: the transcript. */
export type RoundRecord = {
  readonly round: number
  readonly name: string
  readonly digest: Digest
  readonly headers: readonly SignedHeader[]
  /** By party index − 1. */
  readonly echoSignatures: readonly Uint8Array[]
  /** In the order of `headers`; null where the round's specification does not keep them. */
  readonly broadcasts: readonly Uint8Array[] | null
}

/** A message of a round that was not over when the attempt ended: signed by its party, echoed by nobody yet. */
export type OpenMessage = {
  readonly header: SignedHeader
  /** Null where only the header was seen. */
  readonly broadcast: Uint8Array | null
}

/**
 * Why an attempt ended. `culprits` and `suspects` are what this node has seen itself, `claimed` and `claimedSuspects` what
 * `reportedBy` says. Only a culprit is proven at fault: of suspects at least one is, and nothing may be held against any
 * of them before it is known which. A claim of silence says whom the peer waited for when its time was up; by now it may know why.
 */
export type Cause = {
  readonly code: CeremonyErrorCode
  /** Inner code of a failed check, or the code a peer aborted with. */
  readonly check: string | null
  /** Name of the round. */
  readonly round: string
  readonly message: string
  readonly culprits: readonly PartyIndex[]
  readonly suspects: readonly PartyIndex[]
  readonly reportedBy: PartyIndex | null
  readonly claimed: readonly PartyIndex[]
  readonly claimedSuspects: readonly PartyIndex[]
  /** Two conflicting headers where the cause is an equivocation. */
  readonly evidence: readonly SignedHeader[]
}

/**
 * producing: this node speaks in the round and its message is being made.
 * collecting: messages of speakers are missing.
 * signing-echo: all headers are here, the own echo is being signed.
 * echoing: echoes are missing.
 * consuming: all n echoes agree, the content is being checked.
 * stalled: time is up and this node has said so; whoever it waited for may still say why.
 */
export type Stage = "producing" | "collecting" | "signing-echo" | "echoing" | "consuming" | "stalled"

/** Stages that a timer ends. */
export type TimedStage = "collecting" | "echoing" | "stalled"

export type Stall = {
  readonly code: "CEREMONY_NO_MESSAGE" | "CEREMONY_NO_ECHO"
  readonly missing: readonly PartyIndex[]
}

type Common = { readonly attempt: Attempt; readonly records: readonly RoundRecord[] }

export type Running = Common & {
  readonly status: "running"
  readonly specs: readonly RoundSpec[]
  readonly round: number
  readonly stage: Stage
  /** What messages of this round must stand on. */
  readonly previous: Digest
  /** The current round and the one after it. */
  readonly views: ReadonlyMap<number, RoundView>
  /** True from the own message of a binding round on. */
  readonly committed: boolean
  /** The first abort of each peer, heard while the own check or the own wait was not over: the own finding comes first. */
  readonly heardAborts: ReadonlyMap<PartyIndex, Abort>
  /** Parties that have been told why this node is silent: an honest one asks once. */
  readonly excusedTo: ReadonlySet<PartyIndex>
  /** Who was silent when time was up and has not excused itself since; null unless stalled. */
  readonly stall: Stall | null
}

export type CeremonyState =
  | Running
  /** All rounds are over (cause null), or something failed after this node had signed: the chain decides. */
  | (Common & { readonly status: "awaiting-chain"; readonly cause: Cause | null })
  | (Common & { readonly status: "finished" })
  | (Common & {
      readonly status: "aborted"
      readonly cause: Cause
      /** Of the round in which it ended. */
      readonly open: readonly OpenMessage[]
    })

export type CeremonyEvent =
  /** The own message of `round` is made and its header signed. */
  | { readonly kind: "produced"; readonly round: number; readonly message: OwnMessage }
  | { readonly kind: "message"; readonly message: RoundMessage }
  | { readonly kind: "echo-signed"; readonly echo: Echo }
  | { readonly kind: "echo"; readonly echo: Echo }
  | { readonly kind: "consumed"; readonly round: number }
  /** Own work of `round` failed: a check of content, or of this node itself (then without culprits). */
  | {
      readonly kind: "failed"
      readonly round: number
      readonly check: string
      readonly message: string
      readonly culprits: readonly PartyIndex[]
      readonly suspects: readonly PartyIndex[]
    }
  /** Bytes on a channel were refused before they became a message. */
  | {
      readonly kind: "refused"
      readonly from: PartyIndex
      readonly code: CeremonyErrorCode
      readonly message: string
    }
  | { readonly kind: "abort"; readonly abort: Abort }
  | { readonly kind: "timeout"; readonly round: number; readonly stage: TimedStage }
  /** The chain shows the key active; `ours` where it is what this party signed. */
  | { readonly kind: "activated"; readonly ours: boolean }
  | { readonly kind: "discarded" }
  | { readonly kind: "expired" }
  | { readonly kind: "stopped" }

export type CeremonyEffect =
  | { readonly kind: "produce"; readonly round: number; readonly previous: Digest }
  | { readonly kind: "send-message"; readonly message: OwnMessage }
  | { readonly kind: "sign-echo"; readonly round: number; readonly headers: readonly SignedHeader[] }
  | { readonly kind: "send-echo"; readonly echo: Echo }
  | { readonly kind: "consume"; readonly incoming: Incoming }
  | {
      readonly kind: "set-timer"
      readonly round: number
      readonly stage: TimedStage
      readonly milliseconds: number
    }
  | { readonly kind: "clear-timer" }
  | { readonly kind: "progress"; readonly round: number; readonly name: string; readonly rounds: number }
  | { readonly kind: "send-abort"; readonly word: AbortWord }
  /** To one party alone, which misses this one: why it is silent. The attempt goes on here. */
  | { readonly kind: "send-excuse"; readonly to: PartyIndex; readonly word: AbortWord }
  /** All rounds are over: bring the activation to the chain. */
  | { readonly kind: "submit" }
  /** Nothing follows: destroy secrets; keep the sealed share only where the state is finished. */
  | { readonly kind: "end" }

export type Transition = { readonly state: CeremonyState; readonly effects: readonly CeremonyEffect[] }
