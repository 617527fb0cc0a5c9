/**
 * JSON of parties that nobody vouches for, read so that every reader must see the same: no member twice (readers
 * differ in which one counts), whole numbers only, bounded depth. White space and escapes are free.
 */
import { attestationError, type MalformedCode } from "./errors.ts"

const MAX_DEPTH = 32
const TOKEN = /[\s,]*(?:("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|([{[])|([}\]])|([^\s,"{}[\]]+))/y
const WHOLE_NUMBER = /^(?:0|-?[1-9]\d{0,15})$/
const WORDS: readonly string[] = ["true", "false", "null"]

/** Walks the tokens of `text`. Its grammar is laxer than JSON's, which `JSON.parse` enforces. @throws `code` */
function checkTokens(text: string, code: MalformedCode): void {
  const wrong = (message: string) => attestationError(code, message)
  const open: Set<string>[] = []
  const end = text.trimEnd().length
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex
    const match = TOKEN.exec(text)
    if (!match) throw wrong(`no JSON at character ${at}`)
    const [, quoted, colon, opening, closing, word] = match
    if (opening !== undefined) {
      if (open.push(new Set()) > MAX_DEPTH) throw wrong(`JSON is deeper than ${MAX_DEPTH}`)
    } else if (closing !== undefined) open.pop()
    else if (colon !== undefined) {
      const name: unknown = JSON.parse(quoted ?? "null")
      const names = open.at(-1)
      if (names?.has(String(name))) throw wrong(`member ${String(name).slice(0, 80)} stands twice`)
      names?.add(String(name))
    } else if (word !== undefined && !WORDS.includes(word) && !WHOLE_NUMBER.test(word))
      throw wrong(`${word.slice(0, 80)} is no whole number`)
  }
}

/** @throws `code` */
export function parseStrictJson(text: string, code: MalformedCode): unknown {
  try {
    checkTokens(text, code)
    return JSON.parse(text)
  } catch (cause) {
    // A text of many megabytes can be too much for the stack.
    if (!(cause instanceof SyntaxError || cause instanceof RangeError)) throw cause
    throw attestationError(code, "the text is not JSON", { cause })
  }
}
