/**
 * Durable records that only this enclave can read (protocol §9).
 *
 * Security: bytes given to `put` leave the process only under authenticated encryption; kind and id are stored in the
 * clear and MUST NOT be secret. What a write has acknowledged survives a kill at any point.
 */

export type StorageErrorCode =
  /** the store was sealed under another key: other machine, image, key id, epoch or peer. */
  | "STORE_WRONG_KEY"
  /** a record does not authenticate: altered, moved to another name, or of another version. */
  | "STORE_TAMPERED"
  /** the file is no store of this version. */
  | "STORE_FORMAT"
  /** the database refused: disk full, locked by another process, damaged file. */
  | "STORE_FAILED"
  | "STORE_CLOSED"
  /** kind or id is empty, too long, or holds other than [a-zA-Z0-9._:/-]. */
  | "STORE_BAD_NAME"
  /** the record is above the maximum of one record. */
  | "STORE_TOO_LARGE"

/** One record to write. */
export type NamedRecord = { readonly kind: string; readonly id: string; readonly bytes: Uint8Array }

export type SealedStore = {
  /** A copy of the newest record, or null. @throws STORE_TAMPERED, STORE_WRONG_KEY */
  get(kind: string, id: string): Promise<Uint8Array | null>
  /** Writes or replaces; durable once it resolves. */
  put(kind: string, id: string, bytes: Uint8Array): Promise<void>
  /** Writes or replaces all of them or none, in one durable step; of two records of one name the last one stays. */
  putMany(records: readonly NamedRecord[]): Promise<void>
  /** Writes only where nothing is stored; resolves to what is stored afterwards (check-and-insert, atomic). */
  putIfAbsent(kind: string, id: string, bytes: Uint8Array): Promise<Uint8Array>
  /** True where a record was there. */
  delete(kind: string, id: string): Promise<boolean>
  /** Ids of one kind, sorted. */
  list(kind: string): Promise<readonly string[]>
  close(): Promise<void>
}

/** Hard maximum of one record. */
export const MAX_RECORD_BYTES: number = 64 * 1024 * 1024
