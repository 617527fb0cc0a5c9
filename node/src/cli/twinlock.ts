#!/usr/bin/env node
/** `twinlock`: checks that need no node and trust no one. Quotes are judged under Intel's root. */
import { explainQuote } from "@twinlock/sdk/attestation/explain"
import { runTwinlock } from "./runTwinlock.ts"

process.exitCode = await runTwinlock(process.argv.slice(2), explainQuote)
