/**
 * What an executor keeps of the keys that it has judged: of one that may be served all, of any other nothing, neither half a
 * gigabyte of files nor its memory.
 */
import type { KeyId } from "@twinlock/sdk/protocol/ids"
import { deadKeysOf } from "../ceremony/deadKeys.ts"
import type { ChainView } from "../chain/chainView.ts"
import type { Logger } from "../telemetry/logger.ts"
import type { ServerKeyFile } from "../threshold/serverKey.ts"
import type { ExecutorKeyFiles } from "./keyFiles.ts"
import type { LoadedKeys } from "./loadedKeys.ts"

export type JudgedKeys = {
  /** The test of this file passed. */
  passed(keyId: KeyId, file: ServerKeyFile): Promise<void>
  /** It did not. */
  failed(keyId: KeyId): Promise<void>
  /** Forgets keys that can never become active. Never throws: what stays is found again after the next test or start. */
  forgetDead(): Promise<void>
  /** Before the first test of a process: removes what an earlier one left unfinished. Never throws. */
  tidy(): Promise<void>
}

export function createJudgedKeys({
  files,
  loaded,
  chain,
  logger,
}: {
  readonly files: ExecutorKeyFiles
  readonly loaded: LoadedKeys
  readonly chain: Pick<ChainView, "head" | "key">
  readonly logger: Logger
}): JudgedKeys {
  const drop = (keyId: KeyId): void => loaded.drop(files.serverKeyPath(keyId))
  const forget = (keyId: KeyId): Promise<void> => {
    drop(keyId)
    return files.remove(keyId)
  }
  const forgetDead = async (): Promise<void> => {
    try {
      for (const keyId of await deadKeysOf(await files.stored(), chain))
        await forget(keyId).catch((err: unknown) => logger.warn({ err, keyId }, "files of a dead key stay"))
    } catch (err) {
      logger.warn({ err }, "files of dead keys stay")
    }
  }
  return {
    async passed(keyId, { sha256 }) {
      await files.accept(keyId, sha256)
      void forgetDead()
    },
    async failed(keyId) {
      // It may have passed in an earlier process, and be active soon.
      if ((await files.accepted(keyId)) === null) return forget(keyId)
      drop(keyId)
      await files.removeUnfinished(keyId)
    },
    forgetDead,
    async tidy() {
      try {
        for (const keyId of await files.stored()) await files.removeUnfinished(keyId)
      } catch (err) {
        logger.warn({ err }, "unfinished files of keys stay")
      }
    },
  }
}
