import { taggedHash, toHex } from "@twinlock/sdk/protocol/codec"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Address, type Digest, type KeyId, parseKeyId } from "@twinlock/sdk/protocol/ids"
import { describe, expect, test } from "vitest"
import type { KeyRecord } from "../chain/chainView.ts"
import { createManualClock } from "../clock.ts"
import { createMemoryNetworks } from "../p2p/memoryNetwork.ts"
import { silentLogger } from "../telemetry/logger.ts"
import { bytesDigest } from "./digest.ts"
import { type ExecutorVerdictDeps, serveVerdicts } from "./executorVerdict.ts"
import { serverKeyDigestOf } from "./keyRounds.ts"
import {
  COMMITTEE,
  EXECUTORS,
  PARTIES,
  PROPOSAL,
  partyAt,
  type TestParty,
  testParty,
} from "./party.fixture.ts"
import { CEREMONY_PROTOCOLS } from "./router.ts"
import { toyEngine, toyLayout } from "./toyEngine.fixture.ts"
import {
  agreedResult,
  decodeTask,
  decodeVerdict,
  encodeTask,
  encodeVerdict,
  openTask,
  type SelfTestTask,
  selfTestMetadata,
  signTask,
  signVerdict,
  TASK_PROTOCOL,
  taskDigestOf,
  type Verdict,
} from "./verdict.ts"
import { createVerdictCollector } from "./verdictCollector.ts"

const [erin, frank] = EXECUTORS as readonly [TestParty, TestParty]
const { keyId } = COMMITTEE
const layout = toyLayout(3)
const publicSeed = new Uint8Array(32).fill(5)
const chunks = layout.chunks.map(({ index, byteLength }) => new Uint8Array(byteLength).fill(index + 1))
const crs = new Uint8Array(48)

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setImmediate(resolve))
}

async function makeTask(keyId: KeyId = COMMITTEE.keyId): Promise<SelfTestTask> {
  const engine = toyEngine(layout)
  const chunkDigests = chunks.map(bytesDigest)
  const publicKey = engine.assemblePublicKey(publicSeed, chunks[0] ?? new Uint8Array())
  const names = {
    keyId,
    attempt: 1,
    publicSeed,
    chunkDigests,
    serverKeyDigest: serverKeyDigestOf(keyId, publicSeed, chunkDigests),
    publicKeyDigest: bytesDigest(publicKey),
    crsDigest: bytesDigest(crs),
  }
  return { ...names, list: await engine.encryptSelfTest(publicKey, crs, selfTestMetadata(names), [1, 2]) }
}

/** One executor, and what it sent to each party. */
function executor(
  changes: Partial<ExecutorVerdictDeps> = {},
  record: Partial<KeyRecord> = {},
  refusing: readonly Address[] = [],
) {
  const clock = createManualClock()
  const networks = createMemoryNetworks(
    [...PARTIES, erin, testParty("mallory")].map(({ address }) => address),
  )
  const files = new Map<string, Uint8Array>()
  const verdicts: Verdict[] = []
  const stored: Digest[] = []
  const served: string[] = []
  const refused: string[] = []
  for (const { address } of PARTIES)
    networks.get(address)?.onMessage(CEREMONY_PROTOCOLS.verdict.id, 4096, async (_, payload) => {
      if (refusing.includes(address)) throw new Error("no such attempt")
      verdicts.push(decodeVerdict(payload))
    })
  const network = networks.get(erin.address)
  if (network === undefined) throw new Error("no network")
  serveVerdicts({
    network,
    scheduler: clock,
    signal: new AbortController().signal,
    engines: [toyEngine(layout, files)],
    host: PROPOSAL.host,
    chain: {
      head: async () => ({ number: 1n, hash: taggedHash("head"), timestamp: 1n }),
      key: async () =>
        ({
          ...{
            keyId,
            nonce: 1n,
            epoch: COMMITTEE.epoch,
            proposal: PROPOSAL,
            status: "proposed",
            activation: null,
          },
          ...record,
        }) as KeyRecord,
      committee: async () => COMMITTEE,
    },
    files: {
      async fetchChunk(_, chunk) {
        files.set(`${chunk}`, chunks[chunk] ?? new Uint8Array())
        return `${chunk}`
      },
      readChunk: async (_, chunk) => files.get(`${chunk}`) ?? new Uint8Array(),
      serverKeyPath: () => "server.key",
      removeChunks: async () => {},
    },
    source: { get: async () => crs },
    sink: { put: async (digest) => void stored.push(digest) },
    sign: erin.sign,
    logger: silentLogger,
    onServerKey: async (_, { path, sha256 }) => {
      const bytes = files.get(path) ?? new Uint8Array()
      served.push(toHex(sha256) === bytesDigest(bytes) ? path : "another file than was assembled")
    },
    onRefusedKey: async (keyId) => void refused.push(keyId),
    ...changes,
  })
  const give = async (from: TestParty, payload: Uint8Array): Promise<string | null> => {
    try {
      await networks.get(from.address)?.send(erin.address, TASK_PROTOCOL.id, payload)
      return null
    } catch (error) {
      return isProtocolError(error) ? error.detail.code : "INTERNAL"
    } finally {
      await settle()
    }
  }
  return { give, verdicts, stored, served, refused, clock }
}

describe("an executor", () => {
  test("judges once a quorum of parties gave it the same task, and tells all of them", async () => {
    const { give, verdicts, stored, served } = executor()
    const task = await makeTask()
    for (const [index, heard] of [
      [1, 0],
      [2, 0],
      [3, 4],
      [4, 4],
    ] as const) {
      await give(partyAt(index), await signTask(task, partyAt(index).sign))
      expect(verdicts.length).toBe(heard)
    }
    const [verdict] = verdicts
    expect(verdict).toMatchObject({
      keyId,
      executor: erin.address,
      taskDigest: taskDigestOf(task),
      outcome: { ok: true },
    })
    expect(served).toEqual(["server.key"])
    expect(stored).toEqual([verdict?.outcome.ok ? verdict.outcome.resultDigest : null])
  })

  test("judges the next key while a party refuses the verdict on the last one, and gives that up", async () => {
    const { give, verdicts, clock } = executor({}, {}, [partyAt(4).address])
    for (const key of [COMMITTEE.keyId, parseKeyId(taggedHash("next key"))]) {
      const task = await makeTask(key)
      for (const index of [1, 2, 3]) await give(partyAt(index), await signTask(task, partyAt(index).sign))
    }
    expect(verdicts.map((verdict) => verdict.keyId)).toEqual([
      ...[COMMITTEE.keyId, COMMITTEE.keyId, COMMITTEE.keyId],
      ...Array.from({ length: 3 }, () => parseKeyId(taggedHash("next key"))),
    ])
    expect(clock.pending()).toHaveLength(4)
    clock.advance(1_800_000)
    await settle()
    expect(clock.pending()).toEqual([])
  })

  test("does not count one party's task three times, nor different tasks together", async () => {
    const { give, verdicts } = executor()
    const task = await makeTask()
    for (let again = 0; again < 3; again++) await give(partyAt(1), await signTask(task, partyAt(1).sign))
    await give(partyAt(2), await signTask(task, partyAt(2).sign))
    await give(partyAt(3), await signTask({ ...task, crsDigest: taggedHash("other") }, partyAt(3).sign))
    expect(verdicts).toEqual([])
  })

  test("knows one attempt at a key only", async () => {
    const { give } = executor()
    const task = await makeTask()
    expect(await give(partyAt(1), await signTask({ ...task, attempt: 2 }, partyAt(1).sign))).toBe(
      "PEER_REFUSED",
    )
  })

  test.each([
    ["of nobody with a seat", testParty("mallory"), testParty("mallory"), {}],
    ["signed by somebody else", partyAt(1), partyAt(2), {}],
    ["of a key that is active", partyAt(1), partyAt(1), { status: "active" as const }],
    [
      "of a key that names other executors",
      partyAt(1),
      partyAt(1),
      { proposal: { ...PROPOSAL, executors: [frank.address] } },
    ],
  ])("refuses a task %s", async (_, from, signer, record) => {
    const { give } = executor({}, record as Partial<KeyRecord>)
    expect(await give(from, await signTask(await makeTask(), signer.sign))).toBe("PEER_REFUSED")
  })

  const outcomeOf = async (task: SelfTestTask, changes: Partial<ExecutorVerdictDeps> = {}) => {
    const { give, verdicts, served, refused } = executor(changes)
    for (const index of [1, 2, 3]) await give(partyAt(index), await signTask(task, partyAt(index).sign))
    const outcome = verdicts[0]?.outcome
    expect(refused).toEqual(outcome?.ok === false ? [keyId] : [])
    return { outcome, served }
  }

  test("signs a refusal with its reason where seed and chunks make another server key", async () => {
    const task = await makeTask()
    const other = { ...task, serverKeyDigest: taggedHash("other") }
    expect(await outcomeOf(other)).toEqual({ outcome: { ok: false, code: "TASK_DIGEST" }, served: [] })
    const fewer = { ...task, chunkDigests: task.chunkDigests.slice(1) }
    expect((await outcomeOf(fewer)).outcome).toEqual({ ok: false, code: "TASK_DIGEST" })
  })

  test("judges no key of parameters that it has no engine for, and none of another host", async () => {
    const task = await makeTask()
    const other = { ...toyEngine(layout), parametersHash: taggedHash("another set") }
    expect(await outcomeOf(task, { engines: [other] })).toEqual({
      outcome: { ok: false, code: "PARAMETERS_UNKNOWN" },
      served: [],
    })
    expect((await outcomeOf(task, { engines: [other, toyEngine(layout)] })).outcome).toMatchObject({
      ok: true,
    })
    for (const change of [{ chainId: 1n }, { coprocessor: frank.address }, { gateway: erin.address }])
      expect(await outcomeOf(task, { host: { ...PROPOSAL.host, ...change } })).toEqual({
        outcome: { ok: false, code: "TASK_HOST" },
        served: [],
      })
  })

  test("signs a refusal where the public key or the CRS is another one", async () => {
    const task = await makeTask()
    expect((await outcomeOf({ ...task, publicKeyDigest: taggedHash("other") })).outcome).toEqual({
      ok: false,
      code: "TASK_FILES",
    })
    expect((await outcomeOf({ ...task, crsDigest: taggedHash("other") })).outcome).toEqual({
      ok: false,
      code: "TASK_FILES",
    })
  })

  test("signs a refusal where files of the key cannot be removed, too", async () => {
    const onRefusedKey = () => Promise.reject(new Error("read-only disk"))
    const other = { ...(await makeTask()), serverKeyDigest: taggedHash("other") }
    const { give, verdicts } = executor({ onRefusedKey })
    for (const index of [1, 2, 3]) await give(partyAt(index), await signTask(other, partyAt(index).sign))
    expect(verdicts[0]?.outcome).toEqual({ ok: false, code: "TASK_DIGEST" })
  })

  test("signs a refusal where the list's proof does not hold", async () => {
    const task = await makeTask()
    expect((await outcomeOf({ ...task, list: task.list.map((byte) => byte ^ 1) })).outcome).toEqual({
      ok: false,
      code: "INPUT_PROOF_INVALID",
    })
  })
})

describe("encodings", () => {
  test("tasks and verdicts come back as they were", async () => {
    const task = await makeTask()
    expect(decodeTask(encodeTask(task))).toEqual(task)
    expect(openTask(await signTask(task, partyAt(1).sign), partyAt(1).address)).toEqual(task)
    for (const outcome of [
      { ok: true, resultDigest: taggedHash("result") },
      { ok: false, code: "TASK_FILES" },
    ] as const) {
      const verdict = await signVerdict(
        { keyId, attempt: 1, executor: erin.address, taskDigest: taskDigestOf(task), outcome },
        erin.sign,
      )
      expect(decodeVerdict(encodeVerdict(verdict))).toEqual(verdict)
    }
  })

  test("no byte of a verdict can change", async () => {
    const verdict = await signVerdict(
      {
        keyId,
        attempt: 1,
        executor: erin.address,
        taskDigest: taggedHash("task"),
        outcome: { ok: true, resultDigest: taggedHash("r") },
      },
      erin.sign,
    )
    const bytes = encodeVerdict(verdict)
    for (let at = 0; at < bytes.length; at++)
      expect(() => decodeVerdict(bytes.map((byte, index) => (index === at ? byte ^ 1 : byte)))).toThrow()
    expect(() => decodeVerdict(bytes.slice(0, -1))).toThrow()
  })
})

describe("collecting verdicts", () => {
  const taskDigest = taggedHash("task")
  const verdictOf = (by: TestParty, outcome: Verdict["outcome"], changes: Partial<Verdict> = {}) =>
    signVerdict({ keyId, attempt: 1, executor: by.address, taskDigest, outcome, ...changes }, by.sign)
  const result = (name: string) => ({ ok: true, resultDigest: taggedHash(name) }) as const
  const collector = (executors: readonly Address[], k: number) => {
    const clock = createManualClock()
    const signal = new AbortController().signal
    return {
      clock,
      ...createVerdictCollector({
        keyId,
        attempt: 1,
        executors,
        k,
        timeoutMs: 100,
        scheduler: clock,
        signal,
      }),
    }
  }
  const both = [erin.address, frank.address]
  const codeOf = async (work: Promise<unknown>) => {
    try {
      await work
      return null
    } catch (error) {
      return isProtocolError(error) ? error.detail.code : "INTERNAL"
    }
  }

  test("k equal results end the wait, also when they came before it", async () => {
    const { receive, wait } = collector(both, 2)
    receive(erin.address, encodeVerdict(await verdictOf(erin, result("r"))))
    const waiting = wait(taskDigest)
    receive(frank.address, encodeVerdict(await verdictOf(frank, result("r"))))
    expect((await waiting).map(({ executor }) => executor)).toEqual(both)
  })

  test("different results, results of another task and repeats do not count", async () => {
    const { receive, wait, clock } = collector(both, 2)
    const failure = codeOf(wait(taskDigest))
    const erins = encodeVerdict(await verdictOf(erin, result("r")))
    receive(erin.address, erins)
    receive(erin.address, erins)
    receive(
      frank.address,
      encodeVerdict(await verdictOf(frank, result("r"), { taskDigest: taggedHash("old") })),
    )
    receive(frank.address, encodeVerdict(await verdictOf(frank, result("other"))))
    clock.advance(101)
    expect(await failure).toBe("SELF_TEST_SILENT")
  })

  test("more refusals than k leaves room for end the wait", async () => {
    const { receive, wait } = collector([...both, partyAt(1).address], 2)
    const failure = codeOf(wait(taskDigest))
    receive(erin.address, encodeVerdict(await verdictOf(erin, { ok: false, code: "NATIVE_IO" })))
    receive(frank.address, encodeVerdict(await verdictOf(frank, { ok: false, code: "NATIVE_IO" })))
    expect(await failure).toBe("SELF_TEST_REFUSED")
  })

  const three = [...both, partyAt(1).address]

  test.each<readonly [string, Verdict["outcome"]]>([
    ["refuses a good key", { ok: false, code: "TASK_FILES" }],
    ["made up another result", result("made up")],
  ])("one of three that %s changes nothing, and is no part of the proof", async (_, lie) => {
    const { receive, wait } = collector(three, 2)
    const waiting = wait(taskDigest)
    receive(erin.address, encodeVerdict(await verdictOf(erin, lie)))
    receive(frank.address, encodeVerdict(await verdictOf(frank, result("r"))))
    receive(partyAt(1).address, encodeVerdict(await verdictOf(partyAt(1), result("r"))))
    expect((await waiting).map(({ executor }) => executor)).toEqual(three.slice(1))
  })

  test("a second word of an executor is not heard, whatever the first was", async () => {
    const { receive, wait, clock } = collector(both, 2)
    const failure = codeOf(wait(taskDigest))
    receive(erin.address, encodeVerdict(await verdictOf(erin, result("r"))))
    receive(frank.address, encodeVerdict(await verdictOf(frank, result("other"))))
    receive(frank.address, encodeVerdict(await verdictOf(frank, result("r"))))
    clock.advance(101)
    expect(await failure).toBe("SELF_TEST_SILENT")
  })

  test("an executor that told parties different things cannot make two results of k", async () => {
    const faces = await Promise.all([
      verdictOf(erin, result("one")),
      verdictOf(erin, result("two")),
      verdictOf(frank, result("two")),
      verdictOf(partyAt(1), result("two")),
    ])
    for (const order of [faces, faces.toReversed()])
      expect(agreedResult(order, three, 2)?.resultDigest).toBe(taggedHash("two"))
  })

  test("only executors of this key speak, for themselves and for this attempt", async () => {
    const { receive } = collector(both, 2)
    const good = encodeVerdict(await verdictOf(erin, result("r")))
    const stranger = encodeVerdict(await verdictOf(testParty("mallory"), result("r")))
    const late = encodeVerdict(await verdictOf(erin, result("r"), { attempt: 2 }))
    for (const [from, bytes] of [
      [frank.address, good],
      [testParty("mallory").address, stranger],
      [erin.address, late],
    ] as const)
      expect(await codeOf(Promise.resolve().then(() => receive(from, bytes)))).toBe("SELF_TEST_FOREIGN")
  })

  test("agreement counts executors, not verdicts", async () => {
    const twice = await Promise.all([verdictOf(erin, result("r")), verdictOf(erin, result("r"))])
    expect(agreedResult(twice, both, 2)).toBeNull()
    const strangers = await Promise.all([
      verdictOf(erin, result("r")),
      verdictOf(testParty("mallory"), result("r")),
    ])
    expect(agreedResult(strangers, both, 2)).toBeNull()
    const good = await Promise.all([verdictOf(frank, result("r")), verdictOf(erin, result("r"))])
    expect(agreedResult(good, both, 2)?.verdicts.map(({ executor }) => executor)).toEqual(both)
  })
})
