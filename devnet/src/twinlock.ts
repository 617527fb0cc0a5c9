/**
 * `twinlock` under a simulated root: diagnoses quotes of the local network, which the production program refuses.
 *
 *   node twinlock.ts ROOT_KEY attest explain QUOTE [OPTIONS…]        ROOT_KEY: x ‖ y of the simulated root, 0x hex
 */
import { runTwinlock } from "@twinlock/node/cli/runTwinlock"
import { parseRootKey } from "@twinlock/sdk/attestation/chain"
import { explainUnder } from "@twinlock/sdk/attestation/explain"
import { fromHex } from "@twinlock/sdk/protocol/codec"

const [rootKey, ...argv] = process.argv.slice(2)
if (rootKey === undefined) throw new RangeError("usage: twinlock.ts ROOT_KEY COMMAND [OPTIONS…]")
const root = parseRootKey(fromHex(rootKey))

process.exitCode = await runTwinlock(argv, (quote, options) => explainUnder(root, quote, options))
