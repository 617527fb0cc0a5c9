/**
 * The only door through which a decryption share leaves (protocol §8.6): check-and-insert of (handle, recipient) →
 * session, durable before anything is sent. One handle given to one recipient always means one linear form, so a repeat
 * yields byte-identical shares and nothing can be averaged; another session for the same pair is an attack.
 */
import { fromHex, taggedHash, toHex } from "@twinlock/sdk/protocol/codec"
import type { Address, Digest, Handle, SessionId } from "@twinlock/sdk/protocol/ids"
import { parseSessionId } from "@twinlock/sdk/protocol/ids"
import type { SealedStore } from "../storage/sealedStore.ts"
import { decryptionError } from "./errors.ts"

/** Who gets the plaintext: everybody, or the holder of one user's transport keys. */
export type Recipient = "public" | Address

export type Release = { readonly handle: Handle; readonly recipient: Recipient; readonly session: SessionId }

export type ReleaseLog = {
  /** "new" the first time, "repeat" for the same session again. @throws CONFLICTING_RELEASE */
  checkAndInsert(release: Release): Promise<"new" | "repeat">
}

const KIND = "release"

const recordName = ({ handle, recipient }: Release): Digest =>
  taggedHash("twinlock/release/v1", handle, recipient === "public" ? 0 : recipient)

export function createReleaseLog(store: SealedStore): ReleaseLog {
  return {
    async checkAndInsert(release) {
      const name = recordName(release)
      const known = await store.get(KIND, name)
      const stored = parseSessionId(
        toHex(known ?? (await store.putIfAbsent(KIND, name, fromHex(release.session)))),
      )
      if (stored !== release.session)
        throw decryptionError(
          "CONFLICTING_RELEASE",
          `handle ${release.handle} was released to ${release.recipient} under session ${stored}, not ${release.session}`,
        )
      return known === null ? "new" : "repeat"
    },
  }
}
