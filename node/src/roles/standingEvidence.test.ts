import { concatBytes, taggedHash } from "@twinlock/sdk/protocol/codec"
import { parseAddress } from "@twinlock/sdk/protocol/ids"
import { beforeAll, describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../../test/support/codeOf.ts"
import { decodeStandingProof, encodeStandingProof, type StandingProof } from "../ceremony/standingProof.ts"
import type { BlockRef, NodeRecord } from "../chain/chainView.ts"
import { blockAt, collateralOf, type Scene, sceneOf } from "./standing.fixture.ts"

const signer = parseAddress(`0x${"51".repeat(20)}`)
let evidence: Uint8Array

beforeAll(async () => {
  evidence = await sceneOf(signer).standing.evidence()
})

const never = new AbortController().signal
const check = (change: (scene: Scene) => void, bytes = evidence): Promise<string> => {
  const scene = sceneOf(signer)
  change(scene)
  return rejectionCodeOf(() => scene.standing.checkEvidence(signer, bytes, never))
}
const changed = (change: Partial<StandingProof>): Uint8Array =>
  encodeStandingProof({ ...decodeStandingProof(evidence), ...change })
/** What a party shows that sees another chain when it quotes. */
const shownUnder = (change: (scene: Scene) => void): Promise<Uint8Array> => {
  const liar = sceneOf(signer)
  change(liar)
  return liar.standing.evidence()
}

describe("standing evidence", () => {
  test("binds the registration and a recent block, and brings the collateral that judges it", async () => {
    expect(await check(() => {})).toBe("none")
    const { time, challengeBlock, collateral } = decodeStandingProof(evidence)
    expect([BigInt(time), challengeBlock]).toEqual([blockAt(10_000n).timestamp, 10_000n])
    expect(collateral.tcb_info).toContain("fmspc")
    expect(evidence.length).toBeLessThan(64 * 1024)
  })

  test("EVIDENCE_STALE: a quote made for an earlier occasion", async () => {
    const late = (scene: Scene): void => {
      scene.head = blockAt(10_000n + 86_401n)
    }
    expect(await check(late)).toBe("EVIDENCE_STALE")
  })

  test("EVIDENCE_OTHER_BLOCK: a hash that somebody made up", async () => {
    const invented = await shownUnder((scene) => {
      scene.head = { ...scene.head, hash: taggedHash("invented") }
    })
    expect(await check(() => {}, invented)).toBe("EVIDENCE_OTHER_BLOCK")
  })

  test("EVIDENCE_OTHER_BLOCK: a quote made in advance, for a block that nobody knew", async () => {
    const early = await shownUnder((scene) => {
      scene.head = { ...blockAt(15_000n), hash: taggedHash("future") }
    })
    const then = (scene: Scene): void => {
      scene.head = blockAt(15_010n)
    }
    expect(await check(then, early)).toBe("EVIDENCE_OTHER_BLOCK")
  })

  test.each([1, -1, 3_600])(
    "EVIDENCE_OTHER_BLOCK: a time that is not the block's, by %i s",
    async (seconds) => {
      const time = decodeStandingProof(evidence).time + seconds
      expect(await check(() => {}, changed({ time }))).toBe("EVIDENCE_OTHER_BLOCK")
    },
  )

  test("EVIDENCE_OTHER_BLOCK: a quote that claims a newer block than it was made over", async () => {
    const later = (scene: Scene): void => {
      scene.head = blockAt(11_000n)
    }
    expect(await check(later, changed({ challengeBlock: 11_000n }))).toBe("EVIDENCE_OTHER_BLOCK")
    const whole = { challengeBlock: 11_000n, challengeBlockHash: blockAt(11_000n).hash }
    const time = Number(blockAt(11_000n).timestamp)
    expect(await check(later, changed({ ...whole, time }))).toBe("POLICY_REPORT_DATA")
  })

  test("a block that the own head reaches soon is waited for", async () => {
    const scene = sceneOf(signer)
    scene.head = blockAt(9_990n)
    const checked = rejectionCodeOf(() => scene.standing.checkEvidence(signer, evidence, never))
    for (let second = 0; second < 12; second++) {
      await new Promise((resolve) => setImmediate(resolve))
      scene.clock.advance(1_000)
      scene.head = blockAt(scene.head.number + 1n)
    }
    expect(await checked).toBe("none")
  })

  test.each<readonly [string, (scene: Scene, lifetime: AbortController) => void]>([
    ["in time", ({ clock }) => clock.advance(1_000)],
    ["while the attempt lasts", (_, lifetime) => lifetime.abort()],
  ])("EVIDENCE_AHEAD: a block that the own head does not reach %s", async (_, pass) => {
    const scene = sceneOf(signer)
    const lifetime = new AbortController()
    scene.head = blockAt(9_999n)
    const checked = rejectionCodeOf(() => scene.standing.checkEvidence(signer, evidence, lifetime.signal))
    let code: string | null = null
    void checked.then((found) => {
      code = found
    })
    for (let second = 0; second < 65 && code === null; second++) {
      await new Promise((resolve) => setImmediate(resolve))
      pass(scene, lifetime)
    }
    expect(code).toBe("EVIDENCE_AHEAD")
  })

  test.each<readonly [string, string, (record: NodeRecord, at: BlockRef) => NodeRecord | null]>([
    [
      "EVIDENCE_UNREGISTERED",
      "not yet registered at its own block",
      (record, { number }) => (number > 9_999n ? record : null),
    ],
    [
      "EVIDENCE_NO_STANDING",
      "expired at its own block",
      (record) => ({ ...record, liveUntil: blockAt(9_999n).timestamp }),
    ],
    [
      "EVIDENCE_NO_STANDING",
      "expired since",
      (record) => ({ ...record, liveUntil: blockAt(10_005n).timestamp }),
    ],
    [
      "EVIDENCE_NO_STANDING",
      "revoked since",
      (record, { number }) => ({ ...record, revoked: number > 10_000n }),
    ],
    ["EVIDENCE_NO_STANDING", "registered as an executor", (record) => ({ ...record, role: "executor" })],
  ])("%s: a signer %s", async (code, _, registered) => {
    const bytes = await shownUnder((scene) => {
      scene.head = blockAt(9_999n)
    })
    const seen = (scene: Scene): void => {
      scene.head = blockAt(10_010n)
      scene.registered = (at) => registered(scene.record, at)
    }
    expect(await check(seen, bytes)).toBe(code)
  })

  test("EVIDENCE_OTHER_REGISTRATION: facts that the chain does not have", async () => {
    expect(await check(() => {}, changed({ configHash: taggedHash("other") }))).toBe(
      "EVIDENCE_OTHER_REGISTRATION",
    )
  })

  test("a machine that is only admitted by another collateral than comes along is refused", async () => {
    const levels = [{ isvSvn: 1, status: "Revoked" as const }]
    const bytes = changed({ collateral: collateralOf({ qeLevels: levels }) })
    expect(await check(() => {}, bytes)).toBe("POLICY_TCB_STATUS")
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
      scene.registered = () => null
    }
    expect(await check(gone)).toBe("EVIDENCE_UNREGISTERED")
    expect(await check(() => {}, new Uint8Array(40))).toBe("EVIDENCE_MALFORMED")
    expect(await check(() => {}, evidence.slice(0, -1))).toBe("EVIDENCE_MALFORMED")
  })
})
