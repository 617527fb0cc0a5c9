/** What people save as a quote: the bytes, their hex, or the guest agent's JSON answer with its event log. */
import { fromHex } from "@twinlock/sdk/protocol/codec"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { z } from "zod"
import { parseStrict } from "./strictFile.ts"

export type QuoteFileErrorCode = "QUOTE_FILE"

export type QuoteFile = { readonly quote: Uint8Array; readonly eventLog: string | null }

/** A quote with a long event log in hex and JSON stays far below. */
const FILE_LIMIT = 4 * 1024 * 1024
const isHex = (text: string): boolean => text.length % 2 === 0 && /^(?:0x)?[0-9a-fA-F]+$/.test(text)

const answer = z.object({ quote: z.string().refine(isHex), event_log: z.unknown().optional() })

const refuse = (message: string): ProtocolError =>
  new ProtocolError({ code: "QUOTE_FILE" satisfies QuoteFileErrorCode, message })

const bytesOf = (hex: string): Uint8Array => fromHex(`0x${hex.replace(/^0x/, "")}`)

/** Older agents answer with the log as a list, newer ones with its text. What was read has no member twice. */
const logOf = (log: unknown): string | null => {
  if (log === undefined || log === null || log === "") return null
  return typeof log === "string" ? log : JSON.stringify(log)
}

/** @throws QUOTE_FILE where it is neither; whether the bytes are a quote is judged later. */
export function parseQuoteFile(bytes: Uint8Array): QuoteFile {
  if (bytes.length === 0) throw refuse("the quote is empty")
  if (bytes.length > FILE_LIMIT)
    throw refuse(`a quote file has at most ${FILE_LIMIT} bytes, got ${bytes.length}`)
  const text = Buffer.from(bytes).toString("latin1").trim()
  const unbroken = text.replace(/\s+/g, "")
  if (isHex(unbroken)) return { quote: bytesOf(unbroken), eventLog: null }
  if (!text.startsWith("{")) return { quote: bytes, eventLog: null }
  const json = parseStrict(Buffer.from(bytes).toString("utf8"), (reason) =>
    refuse(`the file starts as JSON but is none: ${reason}`),
  )
  const parsed = answer.safeParse(json)
  if (!parsed.success) throw refuse('the JSON has no member "quote" with hex bytes')
  return { quote: bytesOf(parsed.data.quote), eventLog: logOf(parsed.data.event_log) }
}
