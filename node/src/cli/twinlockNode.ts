#!/usr/bin/env -S node --max-semi-space-size=4 --initial-old-space-size=96
/**
 * `twinlock-node` and `twinlock-executor`: the production entry. The guest agent's socket and Intel's root key are
 * constants; nothing configures them away.
 */
import { createQuoteVerifier } from "@twinlock/sdk/attestation/verifyQuote"
import { AGENT_SOCKET } from "../attestation/guestAgent.ts"
import { nodeServices } from "../nodeServices.ts"
import { runCli } from "./runCli.ts"
import { terminated } from "./termination.ts"

process.exitCode = await runCli(process.argv.slice(2), {
  platform: {
    agentSocket: AGENT_SOCKET,
    verifierFor: (contractRootId) => createQuoteVerifier(contractRootId),
  },
  services: nodeServices,
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
  terminated,
})
