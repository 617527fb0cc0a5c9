/**
 * The whole verification of a transcript bundle: a list of named steps, from its form to the chain. Nothing of the bundle
 * is believed; what it takes from outside are the root of trust and, where given, a policy, a chain and the published files.
 */
import { toHex } from "@twinlock/sdk/protocol/codec"
import { recoverSigner, type SignerRecovery } from "@twinlock/sdk/protocol/signature"
import { type CeremonyBundle, decodeBundle, encodeBundle } from "../bundle.ts"
import { checkActivation } from "./activation.ts"
import { type Expectations, type OpenQuestion, openQuestions } from "./assurance.ts"
import { type ChainAudit, checkChain } from "./chain.ts"
import { checkPublished, checkServerKey, type PublishedFiles } from "./chunks.ts"
import { checkCrs } from "./crs.ts"
import type { KeygenAudit } from "./keygenAudit.ts"
import { checkPublicKey } from "./masks.ts"
import { checkOrder } from "./order.ts"
import { checkPolicy } from "./policy.ts"
import { checkProposal } from "./proposal.ts"
import { checkQuotes, type StandingJudge } from "./quotes.ts"
import { checkRounds } from "./rounds.ts"
import { checkSelfTest } from "./selfTest.ts"
import { checkSigningKey } from "./signingKey.ts"
import { type Finding, refuse, runSteps, type Step, type StepResult } from "./step.ts"
import { openTranscript, type Transcript } from "./transcript.ts"

export type AuditOptions = Expectations & {
  /** Parameter sets that this program knows. */
  readonly keygens: readonly KeygenAudit[]
  readonly standing: StandingJudge
  /** The chain as contracts show it that the reader has named, never the transcript; null where none is asked. */
  readonly chain: ((bundle: CeremonyBundle) => ChainAudit) | null
  readonly files: PublishedFiles | null
  /** Another implementation of the same rules, as the node has one in its addon. */
  readonly recover?: SignerRecovery
}

export type AuditVerdict =
  /** every step that had something to look at passed, for the key and the code that the reader named or the chain admits. */
  | "holds"
  /** the same, but nothing from outside says that it is the reader's key, or what the enclaves ran. */
  | "holds-as-written"
  | "refused"
  /** a file, endpoint or service does not answer: nothing is said about the transcript. */
  | "unreachable"

export type AuditReport = {
  readonly format: "twinlock/verify-ceremony/1"
  readonly verdict: AuditVerdict
  readonly steps: readonly StepResult[]
  /** Empty unless it holds as written. */
  readonly open: readonly OpenQuestion[]
  /** Null where the file is no bundle. */
  readonly bundle: CeremonyBundle | null
}

const found = (text: string): Finding => ({ found: text })

export async function auditCeremony(bytes: Uint8Array, options: AuditOptions): Promise<AuditReport> {
  const { recover = recoverSigner } = options
  let opened: Transcript | null = null
  const transcript = (): Transcript => {
    if (opened === null) throw new Error("a step ran before the file was decoded")
    return opened
  }
  const keygen = (): KeygenAudit => {
    const { parametersHash } = transcript().bundle.proposal
    const known = options.keygens.find((audit) => audit.parametersHash === parametersHash)
    if (known === undefined) throw refuse(`parameter set ${parametersHash} is not known to this program`)
    return known
  }
  const steps: readonly Step[] = [
    {
      id: "form",
      title: "form of the file",
      meaning: "The file is a transcript bundle, every byte of which has a meaning.",
      run() {
        const bundle = decodeBundle(bytes)
        if (Buffer.compare(encodeBundle(bundle), bytes) !== 0)
          throw refuse("the file is another spelling of what it says")
        opened = openTranscript(bundle)
        return found(`${bytes.length} bytes, ${bundle.records.length} rounds`)
      },
    },
    {
      id: "proposal",
      title: "proposal and committee",
      meaning: "The key was proposed with sizes and parameters that the protocol allows.",
      run: () => found(checkProposal(transcript(), keygen().parametersHash)),
    },
    {
      id: "policy",
      title: "what you expect",
      meaning: "The transcript is of the key that your policy file names.",
      run: () =>
        options.policy === null
          ? { skipped: "no --deployment, and no --policy that names anything of the key" }
          : found(checkPolicy(transcript(), options.policy)),
    },
    {
      id: "rounds",
      title: "signatures of every round",
      meaning:
        "Every message is signed by its party, and all parties signed that they saw the same messages in the same order.",
      run: () => found(checkRounds(transcript(), recover)),
    },
    {
      id: "order",
      title: "rounds of the protocol",
      meaning: "No round of the protocol is missing, added or exchanged.",
      run: () => found(checkOrder(transcript(), keygen().rounds(transcript().attempt.committee))),
    },
    {
      id: "quotes",
      title: "quotes of the parties",
      meaning:
        "Every party ran in a genuine enclave when the ceremony began, and its seat belongs to that enclave.",
      run: () => found(checkQuotes(transcript(), options.standing)),
    },
    {
      id: "seeds",
      title: "public seed",
      meaning: "Every party opened what it had committed to before it saw the others: nobody chose the seed.",
      run: () => found(`public seed ${toHex(keygen().publicSeed(transcript()))}`),
    },
    {
      id: "checks",
      title: "checks of the secret bits",
      meaning:
        "The secret bits were dealt and combined rightly: the published points lie where they must. Nobody chose the coins.",
      run: () => found(keygen().checkPoints(transcript())),
    },
    {
      id: "chunks",
      title: "server key",
      meaning: "The activated server key is the sum that the parties signed, under the public seed.",
      run: () => found(checkServerKey(transcript(), keygen().keyLayout(), keygen().publicSeed(transcript()))),
    },
    {
      id: "published",
      title: "published files",
      meaning: "The key and the CRS that everybody downloads are the activated ones, byte by byte.",
      run: async () =>
        options.files === null
          ? { skipped: "no --chunks" }
          : found(await checkPublished(transcript(), keygen().keyLayout(), options.files)),
    },
    {
      id: "masks",
      title: "public key and its masks",
      meaning: "The public key consists of the sum that the parties signed and of masks that nobody chose.",
      run: () => found(checkPublicKey(transcript(), keygen(), keygen().publicSeed(transcript()))),
    },
    {
      id: "crs",
      title: "CRS of the input proofs",
      meaning:
        "Every party put its own factor into the CRS: nobody can forge proofs unless all parties lied.",
      run: async () => found(await checkCrs(transcript(), keygen().crs)),
    },
    {
      id: "self-test",
      title: "self-test of the key",
      meaning: "Executors computed on the key before it was used, and the parties decrypted the known sum.",
      run: () => {
        const seed = keygen().publicSeed(transcript())
        return found(checkSelfTest(transcript(), keygen().keyLayout(), seed, recover))
      },
    },
    {
      id: "activation",
      title: "activation",
      meaning: "All parties and the group signed exactly this key after exactly these rounds.",
      run: () => found(checkActivation(transcript(), recover)),
    },
    {
      id: "signing-key",
      title: "group's signing key",
      meaning: "The key that signs results was made by all parties together, and no one holds it.",
      run: () => found(checkSigningKey(transcript())),
    },
    {
      id: "chain",
      title: "the chain's word",
      meaning: "The registry holds this key, and the parties had live standing when they were quoted.",
      run: async () =>
        options.chain === null
          ? { skipped: "no --rpc" }
          : found(await checkChain(transcript(), options.chain(transcript().bundle))),
    },
  ]
  const results = await runSteps(steps)
  const verdict = verdictOf(results, options)
  return {
    format: "twinlock/verify-ceremony/1",
    verdict,
    steps: results,
    open: verdict === "holds-as-written" ? openQuestions(options, results) : [],
    bundle: (opened as Transcript | null)?.bundle ?? null,
  }
}

function verdictOf(steps: readonly StepResult[], expected: Expectations): AuditVerdict {
  if (steps.some(({ status }) => status === "failed")) return "refused"
  if (steps.some(({ status }) => status === "unreachable")) return "unreachable"
  return openQuestions(expected, steps).length === 0 ? "holds" : "holds-as-written"
}
