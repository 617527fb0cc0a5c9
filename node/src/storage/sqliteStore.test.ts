import { spawn } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { DatabaseSync } from "node:sqlite"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { describeSealedStore } from "../../../test/compliance/sealedStore.ts"
import { Secret } from "../secret.ts"
import { openSqliteStore } from "./sqliteStore.ts"

const key = (byte = 7): Secret<Uint8Array> => new Secret(new Uint8Array(32).fill(byte))
const bytes = (...values: number[]): Uint8Array => new Uint8Array(values)

let folder = ""
let path = ""
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "twinlock-store-"))
  path = join(folder, "store.sqlite")
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Writes records a and b, closes, then lets `alter` act as the host on the file. */
async function tampered(alter: (database: DatabaseSync) => void): Promise<void> {
  const store = openSqliteStore({ path, key: key() })
  await store.put("k", "a", bytes(1, 2, 3))
  await store.put("k", "b", bytes(4, 5, 6))
  await store.close()
  const database = new DatabaseSync(path)
  alter(database)
  database.close()
}

describeSealedStore("sqlite store", () => openSqliteStore({ path, key: key() }))

describe("sqlite store on disk", () => {
  test("records survive closing and opening", async () => {
    await tampered(() => {})
    const store = openSqliteStore({ path, key: key() })
    expect(await store.get("k", "a")).toEqual(bytes(1, 2, 3))
    expect(await store.list("k")).toEqual(["a", "b"])
    await store.close()
  })

  test("no file holds the plain bytes", async () => {
    const store = openSqliteStore({ path, key: key() })
    await store.put("k", "a", new TextEncoder().encode("very secret share"))
    const files = readdirSync(folder).map((file) => readFileSync(join(folder, file)).toString("latin1"))
    await store.close()
    expect(files.length).toBeGreaterThan(0)
    for (const content of files) expect(content).not.toContain("very secret share")
  })

  test("records written together survive closing and opening, and count in the root", async () => {
    const store = openSqliteStore({ path, key: key() })
    await store.put("k", "a", bytes(1))
    await store.putMany([
      { kind: "k", id: "a", bytes: bytes(2) },
      { kind: "k", id: "b", bytes: bytes(3) },
    ])
    await store.close()
    const again = openSqliteStore({ path, key: key() })
    expect(await again.get("k", "a")).toEqual(bytes(2))
    expect(await again.get("k", "b")).toEqual(bytes(3))
    await again.close()
    const database = new DatabaseSync(path)
    database.exec("DELETE FROM records WHERE id = 'b'")
    database.close()
    expect(() => openSqliteStore({ path, key: key() })).toThrow("STORE_TAMPERED")
  })

  test("another key is refused", async () => {
    await tampered(() => {})
    expect(() => openSqliteStore({ path, key: key(8) })).toThrow("STORE_WRONG_KEY")
  })

  test.each<[string, (database: DatabaseSync) => void]>([
    ["a deleted record", (db) => db.exec("DELETE FROM records WHERE id = 'a'")],
    ["a renamed record", (db) => db.exec("UPDATE records SET id = 'c' WHERE id = 'a'")],
    ["another version", (db) => db.exec("UPDATE records SET version = 9 WHERE id = 'a'")],
    ["a damaged root", (db) => db.exec("UPDATE header SET value = zeroblob(80) WHERE name = 'root'")],
    ["a removed root", (db) => db.exec("DELETE FROM header WHERE name = 'root'")],
    ["a removed header", (db) => db.exec("DELETE FROM header")],
  ])("opening finds %s", async (_name, alter) => {
    await tampered(alter)
    expect(() => openSqliteStore({ path, key: key() })).toThrow("STORE_TAMPERED")
  })

  test.each<[string, (database: DatabaseSync) => void]>([
    ["altered bytes", (db) => db.exec("UPDATE records SET sealed = zeroblob(43) WHERE id = 'a'")],
    ["a truncated record", (db) => db.exec("UPDATE records SET sealed = zeroblob(3) WHERE id = 'a'")],
    [
      "bytes of another record",
      (db) =>
        db.exec("UPDATE records SET sealed = (SELECT sealed FROM records WHERE id = 'b') WHERE id = 'a'"),
    ],
  ])("reading finds %s", async (_name, alter) => {
    await tampered(alter)
    const store = openSqliteStore({ path, key: key() })
    await expect(store.get("k", "a")).rejects.toMatchObject({ detail: { code: "STORE_TAMPERED" } })
    expect(await store.get("k", "b")).toEqual(bytes(4, 5, 6))
    await store.close()
  })

  test("an older version of one record put back is found", async () => {
    const store = openSqliteStore({ path, key: key() })
    await store.put("k", "a", bytes(1))
    await store.close()
    const old = new DatabaseSync(path)
    const row = old.prepare("SELECT version, sealed FROM records WHERE id = 'a'").get()
    old.close()
    const again = openSqliteStore({ path, key: key() })
    await again.put("k", "a", bytes(2))
    await again.close()
    const database = new DatabaseSync(path)
    database
      .prepare("UPDATE records SET version = ?, sealed = ? WHERE id = 'a'")
      .run(row?.["version"] as number, row?.["sealed"] as Uint8Array)
    database.close()
    expect(() => openSqliteStore({ path, key: key() })).toThrow("STORE_TAMPERED")
  })

  test("another format is refused", async () => {
    await tampered((db) => db.exec("UPDATE header SET value = x'02' WHERE name = 'format'"))
    expect(() => openSqliteStore({ path, key: key() })).toThrow("STORE_FORMAT")
  })

  test("one process at a time", async () => {
    const store = openSqliteStore({ path, key: key() })
    await store.put("k", "a", bytes(1))
    expect(() => openSqliteStore({ path, key: key() })).toThrow("STORE_FAILED")
    await store.close()
  })

  test("a kill in the middle loses nothing that was acknowledged", async () => {
    const child = spawn(process.execPath, [join(import.meta.dirname, "killedWriter.fixture.ts"), path], {
      stdio: ["ignore", "pipe", "inherit"],
    })
    const exited = new Promise<NodeJS.Signals | null>((resolve) =>
      child.once("exit", (_code, signal) => resolve(signal)),
    )
    const acknowledged: number[] = []
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged.push(Number(line))
      if (acknowledged.length === 60) child.kill("SIGKILL")
    }
    expect(await exited).toBe("SIGKILL")
    const store = openSqliteStore({ path, key: key() })
    expect(acknowledged.length).toBeGreaterThanOrEqual(60)
    for (const n of acknowledged)
      expect(await store.get("written", String(n % 10))).toSatisfy((b: Uint8Array) => (b[0] ?? 0) >= n % 256)
    expect(await store.get("count", "last")).toSatisfy(
      (b: Uint8Array) => new DataView(b.buffer, b.byteOffset).getUint32(0) >= (acknowledged.at(-1) ?? 0),
    )
    await store.close()
  })
})
