/** A keyholder's part in finding who made a ceremony fail: put together from the node's context. */
import { mkdir, rename, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { SeatSigner } from "../ceremony/attempt.ts"
import { BLAME_TIMEOUTS, type BlameService, createBlameService } from "../ceremony/blame/blameService.ts"
import { createRootVault, type RootVault } from "../ceremony/blame/rootVault.ts"
import type { ShareVault } from "../ceremony/shareVault.ts"
import type { NodeContext } from "../nodeContext.ts"
import { unsealRoot } from "../threshold/ceremonyParty.ts"
import { recoverSigner } from "../threshold/signatures.ts"

export function createBlame(
  { config, chain, network, scheduler, logger, store, epochKey }: NodeContext,
  vault: ShareVault,
  sign: SeatSigner,
): { readonly roots: RootVault; readonly blame: BlameService } {
  const roots = createRootVault({ store, vault, unsealRoot, sealingKey: epochKey })
  const blame = createBlameService({
    ...{ chain, network, scheduler, logger, sign, roots },
    recover: recoverSigner,
    timeouts: BLAME_TIMEOUTS,
    async keepBlameFile(keyId, file) {
      const folder = join(config.dataDirectory, "blame")
      await mkdir(folder, { recursive: true })
      const path = join(folder, `${keyId.slice(2)}.blame`)
      await writeFile(`${path}.new`, file)
      await rename(`${path}.new`, path)
    },
  })
  return { roots, blame }
}
