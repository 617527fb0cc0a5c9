/**
 * Blob stores that are asked again. A ceremony reads and writes hundreds of chunks, and one answer that is lost on its way
 * would cost everybody's work.
 */
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { BlobSink } from "../blobs/blobSink.ts"
import type { BlobErrorCode, BlobSource } from "../blobs/blobSource.ts"
import type { Scheduler } from "../clock.ts"
import { pause } from "./outbox.ts"

export type Patience = {
  /** At least 1. */
  readonly tries: number
  /** Milliseconds between one try and the next. */
  readonly pauseMs: number
}

export const PATIENCE: Patience = { tries: 5, pauseMs: 2_000 }

const NEVER = new AbortController().signal

async function again<T>(
  ask: () => Promise<T>,
  code: BlobErrorCode,
  { tries, pauseMs }: Patience,
  options: { readonly scheduler: Scheduler; readonly signal: AbortSignal },
): Promise<T> {
  for (let left = tries - 1; left > 0; left--) {
    try {
      return await ask()
    } catch (error) {
      if (!isProtocolError(error, code) || options.signal.aborted) throw error
    }
    await pause(pauseMs, options)
  }
  return ask()
}

/** @throws what the source's last try throws */
export const patientSource = (
  source: BlobSource,
  scheduler: Scheduler,
  patience: Patience = PATIENCE,
): BlobSource => ({
  get: (digest, maxBytes, signal = NEVER) =>
    again(() => source.get(digest, maxBytes, signal), "BLOB_UNAVAILABLE", patience, { scheduler, signal }),
})

/** @throws what the sink's last try throws */
export const patientSink = (
  sink: BlobSink,
  scheduler: Scheduler,
  patience: Patience = PATIENCE,
): BlobSink => ({
  put: (digest, bytes, signal = NEVER) =>
    again(() => sink.put(digest, bytes, signal), "BLOB_NOT_STORED", patience, { scheduler, signal }),
})
