/** `GET /v1/attestation`: how this node's standing goes on, for its operator and for `twinlock-node attest status`. */
import type { EarlyWarningReport } from "../attestation/earlyWarning.ts"
import type { StandingFacts } from "../standingKeeper.ts"
import type { Route } from "./httpServer.ts"

export type AttestationStatus = {
  readonly standing: StandingFacts
  /** Null before the first look at what is coming. */
  readonly outlook: EarlyWarningReport | null
  /** Why the newest look failed, if it did. */
  readonly outlookFailure: string | null
}

export const attestationRoute =
  (read: () => AttestationStatus): Route =>
  (app) => {
    app.get("/v1/attestation", (context) => context.json(read()))
  }
