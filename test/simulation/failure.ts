/** What a run must never show. */
export type Invariant =
  /** every opened value is the one that was encrypted. */
  | "plaintext"
  /** certificates are over what was requested and allowed. */
  | "certificate"
  /** a quorum approved before a share leaves. */
  | "approvals"
  /** nonces serve one list and one message. */
  | "nonces"
  /** a party's share of a session is always the same bytes. */
  | "same-bytes"
  /** a handle goes to a recipient under one session only. */
  | "release"
  /** what was released was booked before. */
  | "budget"
  /** what can be decrypted is decrypted once enough parties are connected. */
  | "liveness"
  /** nobody is blamed who did not lie. */
  | "culprits"
  /** a ceremony ends in one key or in none. */
  | "ceremony"
  /** queues stay small. */
  | "bounded"
  /** the run comes to rest. */
  | "settles"
  /** no promise of the code under test fails unseen. */
  | "unhandled"
  /** nothing asks the machine for time or randomness. */
  | "deterministic"

export class SimulationFailure extends Error {
  override readonly name = "SimulationFailure"
  readonly invariant: Invariant

  constructor(invariant: Invariant, message: string) {
    super(`${invariant}: ${message}`)
    this.invariant = invariant
  }
}

/** The contract refuses a submission: a failure where an honest node brings it. */
export class NotTaken extends SimulationFailure {
  constructor(why: string) {
    super("certificate", why)
  }
}
