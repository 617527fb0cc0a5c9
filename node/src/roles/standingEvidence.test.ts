import { concatBytes, taggedHash } from "@twinlock/sdk/protocol/codec"
import { parseAddress } from "@twinlock/sdk/protocol/ids"
import { beforeAll, describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../../test/support/codeOf.ts"
import { decodeStandingProof, encodeStandingProof, type StandingProof } from "../ceremony/standingProof.ts"
import { blockAt, type Scene, sceneOf } from "./standing.fixture.ts"

const signer = parseAddress(`0x${"51".repeat(20)}`)
let evidence: Uint8Array

beforeAll(async () => {
  evidence = await sceneOf(signer).standing.evidence()
})

const check = (change: (scene: Scene) => void, bytes = evidence): Promise<string> => {
  const scene = sceneOf(signer)
  change(scene)
  return rejectionCodeOf(() => scene.standing.checkEvidence(signer, bytes))
}
const changed = (change: Partial<StandingProof>): Uint8Array =>
  encodeStandingProof({ ...decodeStandingProof(evidence), ...change })

describe("standing evidence", () => {
  test("binds the registration and a recent block, and brings the collateral that judges it", async () => {
    expect(await check(() => {})).toBe("none")
    const { time, challengeBlock, collateral } = decodeStandingProof(evidence)
    expect([BigInt(time), challengeBlock]).toEqual([blockAt(10_000n).timestamp, 10_000n])
    expect(collateral.tcb_info).toContain("fmspc")
    expect(evidence.length).toBeLessThan(64 * 1024)
  })

  test.each([
    ["a quote made for an earlier occasion", 10_000n + 7_201n],
    ["a quote over a block that is not final", 9_000n],
  ])("EVIDENCE_STALE: %s", async (_, number) => {
    const stale = (scene: Scene): void => {
      scene.head = blockAt(number)
    }
    expect(await check(stale)).toBe("EVIDENCE_STALE")
  })

  test.each([
    ["of yesterday", -86_401],
    ["of tomorrow", 3_601],
  ])("EVIDENCE_STALE: collateral %s", async (_, seconds) => {
    const time = decodeStandingProof(evidence).time + seconds
    expect(await check(() => {}, changed({ time }))).toBe("EVIDENCE_STALE")
  })

  test("a quote cannot claim a newer block than it was made over", async () => {
    const later = (scene: Scene): void => {
      scene.head = blockAt(11_000n)
    }
    expect(await check(later, changed({ challengeBlock: 11_000n }))).toBe("POLICY_REPORT_DATA")
  })

  test("EVIDENCE_OTHER_REGISTRATION: facts that the chain does not have", async () => {
    expect(await check(() => {}, changed({ configHash: taggedHash("other") }))).toBe(
      "EVIDENCE_OTHER_REGISTRATION",
    )
  })

  test("collateral that a peer changed is refused, however good its quote is", async () => {
    const { collateral } = decodeStandingProof(evidence)
    const forged = { ...collateral, tcb_info: collateral.tcb_info.replace("UpToDate", "Revoked") }
    expect(await check(() => {}, changed({ collateral: forged }))).toBe("TCB_INFO_SIGNATURE")
  })

  test("EVIDENCE_MALFORMED: collateral in another spelling", async () => {
    const json = Buffer.from(JSON.stringify(decodeStandingProof(evidence).collateral))
    const at = evidence.length - json.length - 4
    for (const text of [`${json} `, `{"pck_crl":"00",${json.toString().slice(1)}`]) {
      const length = new DataView(new ArrayBuffer(4))
      length.setUint32(0, text.length)
      const spelt = concatBytes(evidence.slice(0, at), new Uint8Array(length.buffer), Buffer.from(text))
      expect(await check(() => {}, spelt)).toBe("EVIDENCE_MALFORMED")
    }
  })

  test("EVIDENCE_UNREGISTERED and EVIDENCE_MALFORMED", async () => {
    const gone = (scene: Scene): void => {
      scene.registered = null
    }
    expect(await check(gone)).toBe("EVIDENCE_UNREGISTERED")
    expect(await check(() => {}, new Uint8Array(40))).toBe("EVIDENCE_MALFORMED")
    expect(await check(() => {}, evidence.slice(0, -1))).toBe("EVIDENCE_MALFORMED")
  })
})
