/** The diagnosis of every quote of the corpus says what the verifier says, and its first failed check says why. */
import { existsSync, readFileSync } from "node:fs"
import { parseCollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import { bootFactsOf, verifyEventLog } from "@twinlock/sdk/attestation/eventLog"
import { explainQuote, explainUnder } from "@twinlock/sdk/attestation/explain"
import { quoteVerifierUnder } from "@twinlock/sdk/attestation/underRoot"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { expect, test } from "vitest"
import { corpus, titleOf } from "./corpus/corpus.ts"
import { rootKeyOf } from "./courts.ts"

const quotes = corpus.flatMap((item) => {
  const input = item.build()
  return input.subject.kind === "quote" ? [{ item, input, bytes: input.subject.bytes }] : []
})

test(`${quotes.length} quotes`, () => {
  expect(quotes.length).toBeGreaterThan(150)
  for (const { item, input, bytes } of quotes) {
    const { collateral, time, floors } = input
    const rootKey = rootKeyOf(item.root)
    let want: string
    try {
      want = quoteVerifierUnder(rootKey).verify(bytes, { collateral, time, floors }).status
    } catch (error) {
      if (!isProtocolError(error)) throw error
      want = error.detail.code
    }
    const { failure, status, checks } = explainUnder(rootKey, bytes, { collateral, time, policy: { floors } })
    const first = checks.find((check) => check.status === "failed")
    expect([titleOf(item), failure?.code ?? status]).toEqual([titleOf(item), want])
    expect([titleOf(item), first?.code ?? null]).toEqual([titleOf(item), failure?.code ?? null])
  }
})

const SAMPLES = new URL("../../../shared/attestation-samples/", import.meta.url)
const present = existsSync(SAMPLES)
const textOf = (path: string) => readFileSync(new URL(path, SAMPLES), "utf8")

test.skipIf(!present).each([
  ["near-mpc-dstack-v4-b0c0", "tcb_info.json", true, null],
  ["dstack-tdx-lite-v4-90c0", "getquote.json", true, "CRL_EXPIRED"],
  ["dstack-verifier-v4-90c0", "getquote.json", false, null],
])(
  `${present ? "real" : "skipped, ../shared/attestation-samples is absent: real"} log of %s`,
  (id, file, bound, code) => {
    const { event_log } = JSON.parse(textOf(`${id}/${file}`)) as { readonly event_log: unknown }
    const eventLog = typeof event_log === "string" ? event_log : JSON.stringify(event_log)
    const bytes = new Uint8Array(readFileSync(new URL(`${id}/quote.bin`, SAMPLES)))
    const collateral = parseCollateralBundle(JSON.parse(textOf(`${id}/collateral.json`)))
    const time = JSON.parse(textOf(`${id}/meta.json`)).validAtUnix as number
    const { failure, boot, checks, quote } = explainQuote(bytes, { collateral, time, eventLog })
    expect(failure?.code ?? null).toBe(code)
    expect(boot).toEqual(bootFactsOf(verifyEventLog(eventLog, quote?.rtMr3 ?? "0x")))
    const binding = checks.find((check) => check.id === "event-log.bound")
    expect(binding?.status).toBe(bound ? "passed" : "not-checked")
    const forged = eventLog.replace(/(compose-hash[^}]*"event_payload": ?")../, "$100")
    expect(forged).not.toBe(eventLog)
    const replay = explainQuote(bytes, { collateral, time, eventLog: forged }).checks.find(
      (check) => check.id === "event-log.replay",
    )
    expect(replay?.code).toBe("EVENT_LOG_MISMATCH")
  },
)
