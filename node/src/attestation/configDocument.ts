/**
 * The configuration document of the own guest (docs/attestation.md §6): where mr_config_id has version 3 the
 * register holds only its hash, so whoever judges the quote needs the document. The guest agent does not give it as a
 * whole, but states every member; what does not hash to the register is not it.
 */
import {
  type ConfigDocument,
  configIdOfDocument,
  encodeConfigDocument,
} from "@twinlock/sdk/attestation/configDocument"
import { toHex } from "@twinlock/sdk/protocol/codec"
import { type Hex, parseDigest } from "@twinlock/sdk/protocol/ids"
import { z } from "zod"
import { agentError } from "./agentHttp.ts"
import type { AgentInfo } from "./guestAgent.ts"

/** Longer ones are no documents of a node; keeps channel evidence within its frame. */
export const CONFIG_DOCUMENT_LIMIT = 4_096

/** Names of the providers in the guest's event log, as the document spells them. */
const KINDS: Readonly<Record<string, string>> = { "local-sgx": "local" }

const provider = z.object({ name: z.string(), id: z.string().regex(/^([0-9a-f]{2})*$/) })

function providerOf(text: string): z.infer<typeof provider> {
  try {
    return provider.parse(JSON.parse(text))
  } catch {
    throw agentError("AGENT_MALFORMED", "the agent's key provider has another shape")
  }
}

export const needsConfigDocument = (mrConfigId: Hex): boolean => mrConfigId.startsWith("0x03")

/** @throws AGENT_MALFORMED where the agent's facts do not give the document that `mrConfigId` hashes. */
export function configDocumentOf(info: AgentInfo, mrConfigId: Hex): Uint8Array {
  const { name, id } = providerOf(info.keyProvider)
  const facts: ConfigDocument = {
    appId: toHex(info.appId),
    composeHash: parseDigest(toHex(info.composeHash)),
    instanceId: toHex(info.instanceId),
    keyProvider: KINDS[name] ?? name,
    keyProviderId: `0x${id}`,
  }
  const document = encodeConfigDocument(facts)
  if (configIdOfDocument(document) !== mrConfigId)
    throw agentError(
      "AGENT_MALFORMED",
      `the agent's facts are not those that mr_config_id ${mrConfigId} hashes`,
    )
  return document
}
