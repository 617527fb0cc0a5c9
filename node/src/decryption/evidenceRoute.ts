/** `GET /v1/evidence`: what parties signed that were proven at fault, for the operator and whoever is to judge it. */
import type { Epoch, KeyId } from "@twinlock/sdk/protocol/ids"
import {
  type FaultEvidence,
  type FaultEvidenceBody,
  faultEvidenceToBody,
} from "@twinlock/sdk/threshold/faultEvidence"
import type { Route } from "../api/httpServer.ts"

export type KeyEvidence = {
  readonly keyId: KeyId
  readonly epoch: Epoch
  readonly faults: readonly FaultEvidence[]
}

/** Of every key that the node serves, since it started. */
export type EvidenceBody = {
  readonly keys: readonly (Omit<KeyEvidence, "faults"> & { readonly faults: readonly FaultEvidenceBody[] })[]
}

export const evidenceRoute =
  (read: () => readonly KeyEvidence[]): Route =>
  (app) => {
    app.get("/v1/evidence", (context) => {
      const keys = read().map((key) => ({ ...key, faults: key.faults.map(faultEvidenceToBody) }))
      return context.json<EvidenceBody>({ keys })
    })
  }
