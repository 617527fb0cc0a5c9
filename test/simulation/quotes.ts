/** A node's enclave, slow and at times silent, and the contract as the judge of the quotes of others. */
import type { Quotes } from "@twinlock/node/decryption/signing/quoting"
import { signerOf } from "@twinlock/sdk/protocol/committee"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Platform } from "./node.ts"
import { isGenuineQuote } from "./verifier.ts"
import type { ServedKey, World } from "./world.ts"

export function quotesOf(world: World, platform: Platform, key: ServedKey): Quotes {
  const { timeline, enclaves, chain } = world
  const { machine, process, view } = platform
  const random = platform.random.fork("quotes")
  return {
    quoteOver: (reportData) =>
      new Promise((resolve, reject) =>
        timeline.after(random.exponential(machine.enclave.latency), process, () => {
          if (random.chance(machine.enclave.failures))
            reject(new ProtocolError({ code: "AGENT_UNREACHABLE", message: "the enclave does not answer" }))
          else resolve(enclaves.quoteOver(machine.signer, reportData))
        }),
      ),
    async holds({ batch, parties }, party, evidence) {
      const { number, timestamp } = await view.head()
      const stands = [...parties, party].every((one) => {
        const node = chain.nodes.get(signerOf(key.committee, one))?.at(Number(number)) ?? null
        return node !== null && !node.revoked && node.liveUntil > timestamp
      })
      const tree = { root: batch.root, leaves: batch.leaves.length }
      return stands && isGenuineQuote(tree, party, evidence, key, enclaves)
    },
  }
}
