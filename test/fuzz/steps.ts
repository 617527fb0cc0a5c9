/**
 * Counts the steps of the binary readers: a parser that loops, or that reads its input again and again, takes more
 * steps than its input has bytes. Time is not measured.
 */
import { DerReader } from "@twinlock/sdk/attestation/der"
import { Reader } from "@twinlock/sdk/protocol/codec"
import { Violation } from "./violation.ts"

/** Every value is read a bounded number of times: by its parent, by itself, and once more for signed parts. */
const STEPS_PER_BYTE = 8
const STEPS_AT_LEAST = 4_000

let steps = 0
let limit = Number.POSITIVE_INFINITY

function step(): void {
  steps++
  if (steps > limit) throw new Violation(`more than ${limit} steps of the readers`)
}

/** Puts the counter in front of the readers' methods, until the process ends. */
export function countSteps(): void {
  const [content, whole, peek, take] = [
    DerReader.prototype.content,
    DerReader.prototype.whole,
    DerReader.prototype.peek,
    Reader.prototype.take,
  ]
  DerReader.prototype.content = function (tag) {
    step()
    return content.call(this, tag)
  }
  DerReader.prototype.whole = function (tag) {
    step()
    return whole.call(this, tag)
  }
  DerReader.prototype.peek = function () {
    step()
    return peek.call(this)
  }
  Reader.prototype.take = function (length) {
    step()
    return take.call(this, length)
  }
}

/** @param size bytes of input. @throws Violation where `run` takes more steps than that size explains */
export function measured<T>(size: number, run: () => T): T {
  steps = 0
  limit = STEPS_AT_LEAST + STEPS_PER_BYTE * size
  try {
    return run()
  } finally {
    limit = Number.POSITIVE_INFINITY
  }
}
