import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { describe, expect, test } from "vitest"
import { NATIVE_ERROR_CODES } from "../threshold/native.ts"
import { judged } from "./judgements.ts"
import { party } from "./party.fixture.ts"

const named = (code: string) =>
  judged(new ProtocolError({ code, message: "a rule", culprits: [party(1)] }), party(3)).detail.culprits

describe("a failed check of a party's bytes", () => {
  test.each(["CODEC_SHORT", "SIGNATURE_SIGNER", "CHUNK_MISMATCH", "QUOTE_SIGNATURE", "EVIDENCE_STALE"])(
    "names it for %s",
    (code) => expect(named(code)).toEqual([3]),
  )

  test.each([
    ...["CHAIN_UNAVAILABLE", "CHAIN_MALFORMED", "RPC_TIMEOUT", "COLLATERAL_UNREACHABLE", "COLLATERAL_STALE"],
    ...["CRL_EXPIRED", "TCB_INFO_BELOW_FLOOR", "EVIDENCE_AHEAD", "BLOB_UNAVAILABLE", "PEER_UNREACHABLE"],
    ...["CEREMONY_STOPPED", "CEREMONY_ORDER", "SECRET_WIPED", "ANYTHING_NEW"],
  ])("names nobody for %s", (code) => expect(named(code)).toEqual([]))

  test("of the addon's codes, only those that judge an update or an input list name it", () => {
    const judging = NATIVE_ERROR_CODES.filter((code) => named(code)?.length === 1)
    const updates = NATIVE_ERROR_CODES.filter(
      (code) => code.startsWith("CRS_") && code !== "CRS_ORDER" && code !== "CRS_UNUSABLE",
    )
    expect(judging).toEqual([...updates, "INPUT_LIST_MALFORMED", "INPUT_PROOF_INVALID", "SELF_TEST_LIST"])
  })

  test("keeps the error as its cause", () => {
    const error = new ProtocolError({ code: "CRS_PROOF", message: "a rule" })
    expect(judged(error, party(2)).cause).toBe(error)
  })
})
