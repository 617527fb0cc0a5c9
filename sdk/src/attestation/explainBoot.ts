/**
 * Diagnosis of what comes beside a quote (checklist line 10): the document of mr_config_id, the event log of the boot
 * and app-compose.json. Each is only worth anything where the quote binds it, so each is held against its register.
 */
import type { Digest } from "../protocol/ids.ts"
import { appraiseComposeFile, checkComposeHash } from "./composeFile.ts"
import { composeHashOfConfigId } from "./composeHash.ts"
import { parseConfigDocument } from "./configDocument.ts"
import { attestationError } from "./errors.ts"
import { type BootFacts, bootFactsOf, type RuntimeEvent, verifyEventLog } from "./eventLog.ts"
import { anyOf, type ExplainPolicy } from "./explainPolicy.ts"
import type { Line, Trace } from "./explainTrace.ts"
import { checkBoot, checkProvider } from "./policy.ts"
import type { TdReport } from "./quote.ts"

export type BootContext = {
  readonly trace: Trace
  readonly policy: ExplainPolicy
  readonly report: TdReport | null
  /** Document behind mr_config_id of version 3. */
  readonly configDocument: Uint8Array | undefined
  /** Event log of the guest agent's answer, JSON text. */
  readonly eventLog: string | undefined
  /** Bytes of app-compose.json. */
  readonly composeFile: Uint8Array | undefined
}

/** What the register binds, or null where it binds nothing that can be read. */
function boundOrNull(report: TdReport | null, configDocument: Uint8Array | undefined): Digest | null {
  try {
    return report && composeHashOfConfigId(report.mrConfigId, configDocument)
  } catch {
    return null
  }
}

/** A document that was given must be the register's, even where nothing else asks for it. */
function explainDocument({ trace, report, configDocument }: BootContext): void {
  if (configDocument === undefined) return
  trace.step({
    item: 10,
    needs: { "the quote": report },
    run: ({ "the quote": { mrConfigId } }) => {
      parseConfigDocument(configDocument)
      return composeHashOfConfigId(mrConfigId, configDocument)
    },
    lines: [
      {
        ...{ id: "boot.document", title: "configuration document", codes: [] },
        expected: "the one that mr_config_id hashes",
        found: (hash) => `compose hash ${hash}`,
      },
    ],
  })
}

const logLines: readonly Line<readonly RuntimeEvent[]>[] = [
  {
    id: "event-log.format",
    title: "event log: well-formed",
    expected: "runtime events of RTMR3",
    found: (events) => `${events.length} events`,
    codes: ["EVENT_LOG_MALFORMED"],
  },
  {
    id: "event-log.replay",
    title: "event log: replays to RTMR3",
    expected: "RTMR3",
    found: "every digest recomputed",
    codes: ["EVENT_LOG_MISMATCH"],
  },
]

/** RTMR3 against an event log that came with the quote. @returns what the guest measured while it booted. */
function explainEventLog(context: BootContext, bound: Digest | null): BootFacts | null {
  const { trace, report, policy, configDocument, eventLog } = context
  const { providers } = policy
  let facts: BootFacts | null = null
  if (eventLog !== undefined) {
    const events = trace.step({
      item: 10,
      needs: { "the quote": report },
      run: ({ "the quote": { rtMr3 } }) => verifyEventLog(eventLog, rtMr3),
      lines: logLines,
    })
    facts = trace.step({
      item: 10,
      needs: { "the event log": events },
      run: (given) => bootFactsOf(given["the event log"]),
      lines: [
        {
          ...{ id: "event-log.facts", title: "event log: facts of the boot", codes: [] },
          expected: "each once, before system-ready",
          found: ({ composeHash }) => `compose hash ${composeHash}`,
        },
      ],
    })
    trace.step({
      item: 10,
      needs: { "the facts of the boot": facts, "mr_config_id that binds a compose file": bound },
      run: (given) => {
        const hash = given["mr_config_id that binds a compose file"]
        checkBoot(given["the facts of the boot"], hash, configDocument)
        return hash
      },
      lines: [
        {
          ...{ id: "event-log.bound", title: "event log: boots what is bound", codes: [] },
          expected: bound === null ? "mr_config_id" : `compose hash ${bound}`,
          found: (hash) => `compose hash ${hash}`,
        },
      ],
    })
  }
  if (providers !== undefined)
    trace.step({
      item: 10,
      needs: { "the facts of the boot": eventLog === undefined ? ("no log" as const) : facts },
      run: ({ "the facts of the boot": known }) => {
        if (known === "no log")
          throw attestationError("POLICY_KEY_PROVIDER", "no event log names the guest's key provider")
        checkProvider(known, providers)
        return known.providerId
      },
      lines: [
        {
          ...{ id: "policy.provider", title: "policy: key provider", codes: [] },
          expected: anyOf(providers),
          found: (id) => id,
        },
      ],
    })
  return facts
}

/** The file must be the bound one; its rules hold where the policy has some. */
function explainCompose({ trace, policy, report, configDocument, composeFile }: BootContext): void {
  const { compose: rules } = policy
  if (composeFile === undefined && rules === undefined) return
  const bound = trace.step({
    item: 10,
    needs: { "the quote": report },
    run: ({ "the quote": { mrConfigId } }) => {
      if (composeFile === undefined)
        throw attestationError("COMPOSE_HASH", "the policy has rules on a compose file that was not given")
      const hash = composeHashOfConfigId(mrConfigId, configDocument)
      checkComposeHash(composeFile, hash)
      return { hash, file: composeFile }
    },
    lines: [
      {
        ...{ id: "boot.compose", title: "compose file: the bound one", codes: [] },
        expected: "the hash in mr_config_id",
        found: ({ hash }) => hash,
      },
    ],
  })
  if (rules === undefined) return
  trace.step({
    item: 10,
    needs: { "the bound compose file": bound },
    run: ({ "the bound compose file": { hash, file } }) => appraiseComposeFile(file, hash, rules),
    lines: [
      {
        ...{ id: "policy.compose-rules", title: "policy: rules on the compose file", codes: [] },
        expected: "known members, pinned images and keys",
        found: ({ images }) => `${images.length} pinned images`,
      },
    ],
  })
}

/** Line 10, as far as something was given. @returns what the guest measured while it booted. */
export function explainBoot(context: BootContext): BootFacts | null {
  explainDocument(context)
  const facts = explainEventLog(context, boundOrNull(context.report, context.configDocument))
  explainCompose(context)
  return facts
}
