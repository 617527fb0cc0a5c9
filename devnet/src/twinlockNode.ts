/**
 * `twinlock-node` on the simulated platform: the production command line under another machine. Only this package can
 * build it, and its quotes verify under a root that production refuses.
 *
 *   node twinlockNode.ts honest|lying SOCKET ROOT_KEY COMMAND [OPTIONS…]
 */
import { runCli } from "@twinlock/node/cli/runCli"
import { terminated } from "@twinlock/node/cli/termination"
import { nodeServices } from "@twinlock/node/nodeServices"
import { createDevnetQuoteVerifier } from "@twinlock/sdk/attestation/devnetRoot"
import { fromHex } from "@twinlock/sdk/protocol/codec"
import { lyingServices } from "./lyingNode.ts"

const [build, agentSocket, rootKey, ...argv] = process.argv.slice(2)
if ((build !== "honest" && build !== "lying") || agentSocket === undefined || rootKey === undefined)
  throw new RangeError("usage: twinlockNode.ts honest|lying SOCKET ROOT_KEY COMMAND [OPTIONS…]")

process.exitCode = await runCli(argv, {
  platform: {
    agentSocket,
    verifierFor: (contractRootId, chainId) =>
      createDevnetQuoteVerifier({ contractRootId, chainId, rootKey: fromHex(rootKey) }),
  },
  services: build === "lying" ? lyingServices : nodeServices,
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
  terminated,
})
