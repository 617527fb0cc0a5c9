/** Child of the process test: `run` under the simulated platform. Arguments: agent socket, root key in hex, then the CLI's. */

import { runCli } from "@twinlock/node/cli/runCli"
import { terminated } from "@twinlock/node/cli/termination"
import { fromHex } from "@twinlock/sdk/protocol/codec"
import { simulatedPlatform } from "./simulatedWorld.ts"

const [agentSocket = "", rootKey = "", ...argv] = process.argv.slice(2)
process.exitCode = await runCli(argv, {
  platform: simulatedPlatform(agentSocket, fromHex(rootKey)),
  services: () => [],
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
  terminated,
})
