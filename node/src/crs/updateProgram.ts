/**
 * Makes one update of the CRS: request on standard input, message on standard output. Started by `updateProcess.ts`.
 *
 * Security: the factor is drawn here and wiped by the addon. What registers and moved values left of it on stacks and in
 * freed memory goes back to the operating system with this process, which does nothing else.
 */
import { buffer } from "node:stream/consumers"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { crsUpdate } from "../threshold/crsCeremony.ts"
import { decodeUpdateRequest } from "./updateRequest.ts"

try {
  const { previous, context } = decodeUpdateRequest(new Uint8Array(await buffer(process.stdin)))
  process.stdout.write(await crsUpdate(previous, context))
} catch (error) {
  process.stderr.write(isProtocolError(error) ? error.detail.code : "INTERNAL")
  process.exitCode = 1
}
