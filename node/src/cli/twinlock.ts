#!/usr/bin/env node
/** `twinlock`: checks that need no node and trust no one. `verify-ceremony FILE` judges a transcript bundle offline. */
import { readFileSync } from "node:fs"
import { toHex } from "@twinlock/sdk/protocol/codec"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { verifyBundle } from "../ceremony/verifyBundle.ts"
import { describeResult } from "./text.ts"

const USAGE = "usage: twinlock verify-ceremony FILE [--json]"

const [command, file, ...rest] = process.argv.slice(2)
const json = rest[0] === "--json"
if (command !== "verify-ceremony" || file === undefined || rest.length > (json ? 1 : 0)) {
  process.stderr.write(`${USAGE}\n`)
  process.exitCode = 2
} else {
  try {
    const { keyId, proposal, records, signed } = verifyBundle(readFileSync(file))
    const { activation, groupSignature } = signed
    const result = {
      keyId,
      epoch: activation.epoch,
      parties: proposal.parties,
      executors: proposal.executors,
      rounds: records.length,
      publicKeyDigest: activation.publicKeyDigest,
      serverKeyDigest: activation.serverKeyDigest,
      crsDigest: activation.crsDigest,
      transcriptDigest: activation.transcriptDigest,
      groupX: toHex(Buffer.from(activation.groupX.toString(16).padStart(64, "0"), "hex")),
      groupSignatureNonce: groupSignature.r,
    }
    process.stdout.write(`${json ? JSON.stringify(result) : describeResult(result)}\n`)
  } catch (error) {
    if (!isProtocolError(error) && !(error instanceof Error && "code" in error)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 1
  }
}
