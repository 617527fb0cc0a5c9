/**
 * A value that must not leave by accident: printing, logging or serialising it shows only "[secret]".
 *
 * Security: the value MUST NOT be copied out of `use` except into another Secret or a native handle. Wiping is best
 * effort: the runtime may have moved or copied the bytes, so long-lived key material belongs in the native addon.
 */
import { ProtocolError } from "@twinlock/sdk/protocol/errors"

export type SecretErrorCode = "SECRET_WIPED"

const REDACTED = "[secret]"

export class Secret<T extends Uint8Array | bigint | object> {
  #value: T | null

  constructor(value: T) {
    this.#value = value
  }

  /** Calls `read` with the value and returns its result. @throws SECRET_WIPED after {@link wipe}. */
  use<R>(read: (value: T) => R): R {
    if (this.#value === null)
      throw new ProtocolError({
        code: "SECRET_WIPED" satisfies SecretErrorCode,
        message: "the secret was wiped",
      })
    return read(this.#value)
  }

  /** Overwrites byte arrays (also those one level inside an object) and forgets the value. */
  wipe(): void {
    const value = this.#value
    this.#value = null
    if (value instanceof Uint8Array) value.fill(0)
    else if (typeof value === "object" && value !== null)
      for (const field of Object.values(value)) if (field instanceof Uint8Array) field.fill(0)
  }

  toString(): string {
    return REDACTED
  }

  toJSON(): string {
    return REDACTED
  }

  [Symbol.toPrimitive](): string {
    return REDACTED
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return REDACTED
  }
}
