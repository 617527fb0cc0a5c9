/**
 * SealedStore on SQLite (protocol §9): write-ahead log with full sync, one process at a time, every record sealed.
 *
 * The root record commits to the whole set: a counter of all writes and the sum of the fingerprints of the records.
 * So a host that deletes a single record, or puts back an older one, is found when the store opens. A host that puts
 * back the whole file is not: that is what the peer-held half of the sealing key is for.
 */

import { randomBytes } from "node:crypto"
import { DatabaseSync } from "node:sqlite"
import { Reader, Writer } from "@twinlock/sdk/protocol/codec"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Secret } from "../secret.ts"
import { checkName, checkSize, createRecordCipher, type RecordCipher, storageError } from "./recordCipher.ts"
import type { SealedStore } from "./sealedStore.ts"

const FORMAT = 1
const MODULUS = 1n << 256n
const CHECK = { kind: "store", id: "check", version: 0 } as const
const ROOT = { kind: "store", id: "root", version: 0 } as const

type Change = { readonly kind: string; readonly id: string; readonly bytes: Uint8Array | null }
type Root = { readonly writes: number; readonly sum: bigint }

export type SqliteStoreOptions = {
  /** File; made when absent. Its folder must exist. */
  readonly path: string
  /** 32 bytes; see deriveSealingKey. */
  readonly key: Secret<Uint8Array>
  readonly random?: (length: number) => Uint8Array
}

/** @throws STORE_WRONG_KEY, STORE_TAMPERED, STORE_FORMAT, STORE_FAILED */
export function openSqliteStore({ path, key, random = randomBytes }: SqliteStoreOptions): SealedStore {
  const database = attempt(() => new DatabaseSync(path))
  try {
    return storeOn(database, key, random)
  } catch (error) {
    database.close()
    throw error
  }
}

function storeOn(
  database: DatabaseSync,
  key: Secret<Uint8Array>,
  random: (length: number) => Uint8Array,
): SealedStore {
  attempt(() => prepare(database))
  const { salt, fresh } = readSalt(database, random)
  const cipher = createRecordCipher(key, salt, random)
  let root = fresh ? writeHeader(database, cipher, salt) : readRoot(database, cipher)
  const select = database.prepare("SELECT version, sealed FROM records WHERE kind = ? AND id = ?")
  const upsert = database.prepare(
    "INSERT INTO records (kind, id, version, sealed) VALUES (?, ?, ?, ?) ON CONFLICT (kind, id) " +
      "DO UPDATE SET version = excluded.version, sealed = excluded.sealed",
  )
  const remove = database.prepare("DELETE FROM records WHERE kind = ? AND id = ?")
  const ids = database.prepare("SELECT id FROM records WHERE kind = ? ORDER BY id")
  let open = true

  const read = (kind: string, id: string): { version: number; bytes: Uint8Array } | null => {
    const row = attempt(() => select.get(kind, id))
    if (row === undefined) return null
    const version = Number(row["version"])
    const bytes = cipher.open({ kind, id, version }, row["sealed"] as Uint8Array)
    if (bytes === null) throw storageError("STORE_TAMPERED", `record ${kind}/${id} does not authenticate`)
    return { version, bytes }
  }

  /** Replaces (or removes) records and the root in one transaction. */
  const write = (changes: readonly Change[]): void => {
    let next = root
    attempt(() => {
      database.exec("BEGIN IMMEDIATE")
      try {
        for (const change of changes) next = apply(change, next)
        writeRoot(database, cipher, next)
        database.exec("COMMIT")
      } catch (error) {
        database.exec("ROLLBACK")
        throw error
      }
    })
    root = next
  }

  /** One change inside a transaction, and the root after it. */
  const apply = ({ kind, id, bytes }: Change, { writes, sum }: Root): Root => {
    const before = select.get(kind, id)
    const version = writes + 1
    let after = sum
    if (before !== undefined) after -= cipher.fingerprint({ kind, id, version: Number(before["version"]) })
    if (bytes !== null) after += cipher.fingerprint({ kind, id, version })
    if (bytes === null) remove.run(kind, id)
    else upsert.run(kind, id, version, cipher.seal({ kind, id, version }, bytes))
    return { writes: version, sum: ((after % MODULUS) + MODULUS) % MODULUS }
  }

  const named = (kind: string, id: string): void => {
    if (!open) throw storageError("STORE_CLOSED", "the store is closed")
    checkName(kind, id)
  }

  return {
    async get(kind, id) {
      named(kind, id)
      return read(kind, id)?.bytes ?? null
    },
    async put(kind, id, bytes) {
      named(kind, id)
      checkSize(bytes)
      write([{ kind, id, bytes }])
    },
    async putMany(records) {
      for (const { kind, id, bytes } of records) {
        named(kind, id)
        checkSize(bytes)
      }
      if (records.length > 0) write(records)
    },
    async putIfAbsent(kind, id, bytes) {
      named(kind, id)
      checkSize(bytes)
      const stored = read(kind, id)
      if (stored !== null) return stored.bytes
      write([{ kind, id, bytes }])
      return bytes.slice()
    },
    async delete(kind, id) {
      named(kind, id)
      if (attempt(() => select.get(kind, id)) === undefined) return false
      write([{ kind, id, bytes: null }])
      return true
    },
    async list(kind) {
      named(kind, "x")
      return attempt(() => ids.all(kind)).map((row) => String(row["id"]))
    },
    async close() {
      if (!open) return
      open = false
      cipher.wipe()
      attempt(() => database.close())
    },
  }
}

/** Runs database code; its errors become STORE_FAILED, ours pass. */
function attempt<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (isProtocolError(error)) throw error
    throw storageError("STORE_FAILED", error instanceof Error ? error.message : "database failure", error)
  }
}

function prepare(database: DatabaseSync): void {
  database.exec(
    "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; " +
      "PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF;",
  )
  database.exec(
    "CREATE TABLE IF NOT EXISTS header (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT; " +
      "CREATE TABLE IF NOT EXISTS records (kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, " +
      "sealed BLOB NOT NULL, PRIMARY KEY (kind, id)) STRICT;",
  )
}

const readHeader = (database: DatabaseSync, name: string): Uint8Array | null =>
  (attempt(() => database.prepare("SELECT value FROM header WHERE name = ?").get(name))?.["value"] as
    | Uint8Array
    | undefined) ?? null

function readSalt(
  database: DatabaseSync,
  random: (length: number) => Uint8Array,
): { salt: Uint8Array; fresh: boolean } {
  const format = readHeader(database, "format")
  const salt = readHeader(database, "salt")
  if (format === null && salt === null) {
    if (attempt(() => database.prepare("SELECT 1 FROM records").get()) !== undefined)
      throw storageError("STORE_TAMPERED", "the store has records but no header")
    return { salt: random(32), fresh: true }
  }
  if (format?.length !== 1 || format[0] !== FORMAT || salt?.length !== 32)
    throw storageError("STORE_FORMAT", `want store format ${FORMAT}, got ${format?.[0] ?? "none"}`)
  return { salt, fresh: false }
}

function writeHeader(database: DatabaseSync, cipher: RecordCipher, salt: Uint8Array): Root {
  const root: Root = { writes: 0, sum: 0n }
  attempt(() => {
    database.exec("BEGIN IMMEDIATE")
    const insert = database.prepare("INSERT INTO header (name, value) VALUES (?, ?)")
    insert.run("format", new Uint8Array([FORMAT]))
    insert.run("salt", salt)
    insert.run("check", cipher.seal(CHECK, new Uint8Array()))
    writeRoot(database, cipher, root)
    database.exec("COMMIT")
  })
  return root
}

function writeRoot(database: DatabaseSync, cipher: RecordCipher, { writes, sum }: Root): void {
  const plain = new Writer()
    .uint(8, writes)
    .hex(`0x${sum.toString(16).padStart(64, "0")}`)
    .done()
  database
    .prepare(
      "INSERT INTO header (name, value) VALUES ('root', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .run(cipher.seal(ROOT, plain))
}

/** Checks key and root, then that the records are exactly those that the root counts. */
function readRoot(database: DatabaseSync, cipher: RecordCipher): Root {
  if (cipher.open(CHECK, readHeader(database, "check") ?? new Uint8Array()) === null)
    throw storageError("STORE_WRONG_KEY", "the store was sealed under another key")
  const plain = cipher.open(ROOT, readHeader(database, "root") ?? new Uint8Array())
  if (plain === null) throw storageError("STORE_TAMPERED", "the store's root does not authenticate")
  const reader = new Reader(plain)
  const root: Root = { writes: reader.uint(8), sum: BigInt(reader.hex(32)) }
  let sum = 0n
  for (const row of attempt(() => database.prepare("SELECT kind, id, version FROM records").all())) {
    const name = { kind: String(row["kind"]), id: String(row["id"]), version: Number(row["version"]) }
    sum = (sum + cipher.fingerprint(name)) % MODULUS
  }
  if (sum !== root.sum)
    throw storageError("STORE_TAMPERED", "records were removed, added or put back behind the store")
  return root
}
