/** Both verdicts on a registration: the registry's on a real node, and a peer's appraisal of the same quote. */
import { appraiseQuote, DEFAULT_POLICY, imageIdOf } from "@twinlock/sdk/attestation/policy"
import { type RegistrationBinding, registrationReportData } from "@twinlock/sdk/attestation/reportData"
import { roleCode } from "@twinlock/sdk/attestation/role"
import { quoteVerifierUnder } from "@twinlock/sdk/attestation/underRoot"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Digest, parseAddress, parseDigest } from "@twinlock/sdk/protocol/ids"
import { ingestionOf } from "./contractVerdict.ts"
import type { AttestationInput } from "./corpus/case.ts"
import type { RegistrationCase } from "./corpus/registration.ts"
import { COMPOSE_HASH, inputOf, MEASUREMENTS } from "./corpus/scene.ts"
import { rootKeyOf } from "./courts.ts"
import { cutEvidence } from "./cutEvidence.ts"
import type { Call, SimulatedChain } from "./simulatedChain.ts"

/** Longer than the timelock of the local chain. */
const BEFORE = 3_600
const PEER: Digest = parseDigest(`0x${"ab".repeat(32)}`)
const SIGNER = parseAddress(`0x${"51".repeat(20)}`)
const NO_BYTES = `0x${"00".repeat(48)}` as const

/** The one entry of the allow-list: the software of the corpus as a keyholder. */
const ENTRY = {
  role: "keyholder",
  imageId: imageIdOf({
    mrTd: MEASUREMENTS.mrTd ?? NO_BYTES,
    rtMr0: MEASUREMENTS.rtMr0 ?? NO_BYTES,
    rtMr1: MEASUREMENTS.rtMr1 ?? NO_BYTES,
    rtMr2: MEASUREMENTS.rtMr2 ?? NO_BYTES,
  }),
  composeHash: COMPOSE_HASH,
  providerId: PEER,
  version: 1,
} as const

/** What the sender says: the quote binds the same, but for the case's changes. */
const bindingOf = (chain: SimulatedChain, item: RegistrationCase): RegistrationBinding => ({
  chainId: BigInt(chain.chainId),
  nodeRegistry: parseAddress(chain.deployment.nodeRegistry),
  operator: parseAddress(chain.account.toLowerCase()),
  role: "keyholder",
  signer: SIGNER,
  peerIdHash: PEER,
  configHash: PEER,
  challengeBlock: chain.past.number,
  challengeBlockHash: chain.past.hash,
  ...item.sent,
})

function inputFor(chain: SimulatedChain, item: RegistrationCase): AttestationInput {
  const reportData = registrationReportData({ ...bindingOf(chain, item), ...item.quoted })
  return inputOf({ ...item.scene, quote: { ...item.scene.quote, reportData } })
}

function peerVerdict(chain: SimulatedChain, item: RegistrationCase, input: AttestationInput): string | null {
  if (input.subject.kind !== "quote") throw new Error("a registration quotes as a whole")
  try {
    const verified = quoteVerifierUnder(rootKeyOf("simulator")).verify(input.subject.bytes, input)
    const platform = { ...DEFAULT_POLICY.platform, deniedPpids: item.denied, deniedPiids: item.denied }
    const binding = bindingOf(chain, item)
    appraiseQuote(
      verified,
      { ...DEFAULT_POLICY, platform, entries: [ENTRY] },
      {
        role: binding.role,
        reportData: registrationReportData(binding),
        configDocument: input.configDocument,
      },
    )
    return null
  } catch (error) {
    if (!isProtocolError(error)) throw error
    return error.detail.code
  }
}

async function registryVerdict(
  chain: SimulatedChain,
  item: RegistrationCase,
  input: AttestationInput,
): Promise<string | null> {
  const cut = cutEvidence(input)
  const ingestion = cut ? ingestionOf(input, cut) : null
  if (!cut || !ingestion) throw new Error("a registration can always be submitted")
  const { operator, role, signer, peerIdHash, configHash, challengeBlock } = bindingOf(chain, item)
  const registration = { operator, role: roleCode(role), signer, peerIdHash, configHash, challengeBlock }
  const registry = (method: string, ...args: readonly unknown[]): Call => ({
    to: "nodeRegistry",
    method,
    args,
  })
  const outcome = await chain.simulate([
    {
      time: input.time - BEFORE,
      calls: [
        registry("admitOperator", operator),
        registry("proposeEntry", { ...ENTRY, role: roleCode(ENTRY.role) }),
      ],
    },
    {
      time: input.time,
      calls: [
        ...ingestion,
        registry("activateEntry", 1),
        ...item.denied.map((id) => registry("denyPlatform", id)),
        registry("register", registration, cut.evidence, "0x"),
      ],
    },
  ])
  return "error" in outcome ? outcome.error : null
}

/** The code of the peer's refusal and the error of the registry's; null where one accepts. */
export async function judgeRegistration(
  chain: SimulatedChain,
  item: RegistrationCase,
): Promise<{ readonly peer: string | null; readonly registry: string | null }> {
  const input = inputFor(chain, item)
  return { peer: peerVerdict(chain, item, input), registry: await registryVerdict(chain, item, input) }
}
