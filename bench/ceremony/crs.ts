/** Time of the CRS's steps at 2048 bits: updates as a keyholder makes them, in a process of their own, checks, the audit. */
import { holdingScheduler } from "@twinlock/node/clock"
import { createUpdateProcess } from "@twinlock/node/crs/updateProcess"
import { crsAssemble, crsAudit, crsLink, crsUpdate, crsVerify } from "@twinlock/node/threshold/crsCeremony"
import { sha256Digest, toHex } from "@twinlock/sdk/protocol/codec"
import { type PartyIndex, parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { type Figure, figure, percentile } from "../figure.ts"

const CEREMONY_ID = new Uint8Array(32).fill(0x42)
const TRANSCRIPT = new Uint8Array(32).fill(0x17)
const MAX_PARTIES = 15

async function timed<T>(into: number[], work: () => Promise<T>): Promise<T> {
  const from = performance.now()
  const result = await work()
  into.push((performance.now() - from) / 1000)
  return result
}

const UNENDING = new AbortController().signal

/** @param parties contribute one after the other; figures are medians over them @throws where a check is not passed */
export async function crsFigures(parties: number): Promise<readonly Figure[]> {
  const update: number[] = []
  const direct: number[] = []
  const verify: number[] = []
  const assemble: number[] = []
  const audit: number[] = []
  const updateApart = createUpdateProcess(holdingScheduler)
  const contributors: PartyIndex[] = []
  const links: Uint8Array[] = []
  let state: Uint8Array | null = null
  for (let round = 1; round <= parties; round++) {
    const party = parsePartyIndex(round, MAX_PARTIES)
    const context = { ceremonyId: CEREMONY_ID, round, party }
    const previous: Uint8Array | null = state
    const message: Uint8Array = await timed(update, () => updateApart(previous, context, UNENDING))
    if (round === 1) await timed(direct, () => crsUpdate(previous, context))
    state = await timed(verify, () => crsVerify(previous, message, context))
    contributors.push(party)
    links.push(crsLink(message))
  }
  if (state === null) throw new RangeError("no party contributes")
  const final = state
  const file = await timed(assemble, () => crsAssemble(final, TRANSCRIPT))
  const digest = await timed(audit, () => crsAudit(CEREMONY_ID, contributors, links, final, TRANSCRIPT))
  if (toHex(digest) !== sha256Digest(file)) throw new Error("the audit makes another file")
  const params = { bits: 2048, parties }
  const median = (name: string, list: readonly number[], more: Figure["params"] = {}): Figure =>
    figure(name, percentile(list, 50), "s", { ...params, ...more })
  return [
    median("crs.update_s", update, { where: "process of its own" }),
    median("crs.update_s", direct, { where: "calling process" }),
    median("crs.verify_s", verify),
    median("crs.assemble_s", assemble),
    median("crs.audit_s", audit),
  ]
}
