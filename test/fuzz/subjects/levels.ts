/** Well-formed TCB info and QE identities with other levels, dates and identities: exact agreement with the oracle. */
import { TCB_STATUSES } from "@twinlock/sdk/attestation/tcbStatus"
import { mutateField } from "../byteMutation.ts"
import { assemble, resign } from "../quoteParts.ts"
import type { Rng } from "../rng.ts"
import { collateral, ISSUED, options, SCENARIOS } from "../world.ts"
import { signQeIdentity, signTcbInfo } from "./signed.ts"
import { judged, type Subject, withCollateral } from "./subject.ts"

type Level = { tcbStatus: string; tcbDate: string; advisoryIDs?: string[] }
type IsvLevel = Level & { tcb: { isvsvn: number } }
type Identity = {
  id: string
  mrsigner: string
  attributes: string
  attributesMask: string
  tcbLevels: IsvLevel[]
}
type Components = { svn: number }[]
type PlatformLevel = Level & {
  tcb: { sgxtcbcomponents: Components; pcesvn: number; tdxtcbcomponents: Components }
}
type Dated = { issueDate: string; nextUpdate: string; tcbEvaluationDataNumber: number }
type TcbInfo = Dated & {
  fmspc: string
  pceId: string
  tdxModule: Identity
  tdxModuleIdentities: Identity[]
  tcbLevels: PlatformLevel[]
}
type QeIdentity = Dated & Identity & { isvprodid: number; miscselect: string; miscselectMask: string }

const date = (time: number) => new Date(time * 1000).toISOString().replace(/\.\d+Z$/, "Z")

function turnLevel(rng: Rng, level: Level): void {
  if (rng.oneIn(2)) level.tcbStatus = rng.pick(TCB_STATUSES)
  if (rng.oneIn(3)) level.tcbDate = date(ISSUED - rng.below(1000) * 86_400)
  if (rng.oneIn(3)) level.advisoryIDs = [`INTEL-SA-0000${rng.below(3)}`, "INTEL-SA-00009"].slice(rng.below(3))
}

function turnDates(rng: Rng, document: Dated): void {
  if (rng.oneIn(8)) document.issueDate = date(ISSUED + (rng.below(5) - 2) * 86_400)
  if (rng.oneIn(8)) document.nextUpdate = date(ISSUED + rng.below(5) * 43_200)
  if (rng.oneIn(8)) document.tcbEvaluationDataNumber = 18 + rng.below(5)
}

function turnHex(rng: Rng, text: string): string {
  const turned = Buffer.from(mutateField(rng, Buffer.from(text, "hex"), 0, text.length / 2)).toString("hex")
  return rng.oneIn(2) ? turned.toUpperCase() : turned
}

function turnIdentity(rng: Rng, identity: Identity): void {
  if (rng.oneIn(10)) identity.attributes = turnHex(rng, identity.attributes)
  if (rng.oneIn(10)) identity.attributesMask = turnHex(rng, identity.attributesMask)
  if (rng.oneIn(12)) identity.mrsigner = turnHex(rng, identity.mrsigner)
  for (const level of identity.tcbLevels ?? []) {
    turnLevel(rng, level)
    if (rng.oneIn(3)) level.tcb.isvsvn = rng.below(14)
  }
}

const near = (rng: Rng, svn: number): number => Math.min(255, Math.max(0, svn + rng.below(3) - 1))

function turnTcbInfo(rng: Rng, info: TcbInfo): void {
  turnDates(rng, info)
  if (rng.oneIn(20)) info.fmspc = turnHex(rng, info.fmspc)
  if (rng.oneIn(20)) info.pceId = turnHex(rng, info.pceId)
  turnIdentity(rng, info.tdxModule)
  for (const identity of info.tdxModuleIdentities) turnIdentity(rng, identity)
  if (rng.oneIn(20)) info.tdxModuleIdentities.pop()
  for (const level of info.tcbLevels) {
    turnLevel(rng, level)
    const { sgxtcbcomponents, tdxtcbcomponents } = level.tcb
    if (rng.oneIn(6)) level.tcb.pcesvn = near(rng, level.tcb.pcesvn)
    for (const component of [...sgxtcbcomponents, ...tdxtcbcomponents])
      if (rng.oneIn(16)) component.svn = near(rng, component.svn)
  }
  if (rng.oneIn(6)) info.tcbLevels.shift()
}

function turnQeIdentity(rng: Rng, identity: QeIdentity): void {
  turnDates(rng, identity)
  turnIdentity(rng, identity)
  if (rng.oneIn(12)) identity.isvprodid = rng.below(4)
  if (rng.oneIn(12)) identity.miscselect = turnHex(rng, identity.miscselect)
  if (rng.oneIn(12)) identity.miscselectMask = turnHex(rng, identity.miscselectMask)
}

/** Machine and module SVNs near those of the levels. */
function turnedQuote(rng: Rng): Uint8Array {
  const { parts, keys, quote } = rng.pick(SCENARIOS)
  if (rng.oneIn(2)) return quote
  const body = parts.body.slice()
  const at = rng.below(5)
  body[at] = near(rng, body[at] ?? 0)
  const qeReport = parts.qeReport.slice()
  if (rng.oneIn(2)) qeReport[258] = rng.below(10)
  return assemble(resign({ ...parts, body, qeReport }, keys, true))
}

export const levels: Subject = {
  name: "levels of well-formed collateral",
  weight: 10,
  run: (rng, target) => {
    const info = JSON.parse(collateral.tcb_info) as TcbInfo
    const identity = JSON.parse(collateral.qe_identity) as QeIdentity
    if (!rng.oneIn(3)) turnTcbInfo(rng, info)
    if (!rng.oneIn(3)) turnQeIdentity(rng, identity)
    const bundle = withCollateral({
      ...signTcbInfo(JSON.stringify(info)),
      ...signQeIdentity(JSON.stringify(identity)),
    })
    return judged(target, turnedQuote(rng), { ...options, collateral: bundle }, true)
  },
}
