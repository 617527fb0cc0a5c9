/** Both verifiers under every root of the corpus, started when a case first needs one. */
import { parseRootKey, type RootKey } from "@twinlock/sdk/attestation/chain"
import { onChainVerdict } from "./contractVerdict.ts"
import type { Case, Root } from "./corpus/case.ts"
import { INTEL_ROOT_KEY, sampleRootKey } from "./corpus/samples.ts"
import { GOOD } from "./corpus/scene.ts"
import { openSimulatedChain, type SimulatedChain } from "./simulatedChain.ts"
import { offChainVerdict, type Verdict } from "./verdict.ts"

/** Contracts take another root than Intel's on the local chain alone, and Intel's root on any. */
const LOCAL_CHAIN = 31_337
const OTHER_CHAIN = 1

export function rootKeyOf(root: Root): RootKey {
  switch (root) {
    case "simulator":
      return parseRootKey(GOOD.root.key.publicKey)
    case "intel":
      return parseRootKey(INTEL_ROOT_KEY)
    case "SIM-v4":
    case "intel-qvl-sample":
      return parseRootKey(sampleRootKey(root))
  }
}

export type Courts = {
  readonly judge: (item: Case) => Promise<{ readonly offChain: Verdict; readonly onChain: Verdict }>
  readonly stop: () => Promise<void>
}

export function openCourts(): Courts {
  const open = new Map<Root, Promise<SimulatedChain>>()
  const chainOf = (root: Root): Promise<SimulatedChain> => {
    const known = open.get(root)
    if (known) return known
    const chainId = root === "intel" ? OTHER_CHAIN : LOCAL_CHAIN
    const chain = openSimulatedChain({ chainId, rootKey: rootKeyOf(root) })
    open.set(root, chain)
    return chain
  }
  return {
    judge: async (item) => {
      const input = item.build()
      const chain = await chainOf(item.root)
      return {
        offChain: offChainVerdict(input, rootKeyOf(item.root)),
        onChain: await onChainVerdict(chain, input),
      }
    },
    stop: async () => {
      for (const chain of await Promise.allSettled(open.values()))
        if (chain.status === "fulfilled") chain.value.stop()
    },
  }
}
