/**
 * The diagnosis of hostile input: it never throws and its verdict is the verifier's; of an event log that comes with a
 * good quote, it accepts only what replays, and tells the facts of the oracle.
 */
import { parseDigest } from "@twinlock/sdk/protocol/ids"
import { mutateBytes } from "../byteMutation.ts"
import { jsonTreeOf, mutateDocument } from "../jsonTree.ts"
import { assemble, pemBytes, resign } from "../quoteParts.ts"
import { type Attempt, attempt, mustEqual, Violation } from "../violation.ts"
import { authorityKey, chainOf, collateral, options, rootKey, SCENARIOS } from "../world.ts"
import { resignedDer } from "./certificates.ts"
import { genuine, logTree, oracle } from "./eventLog.ts"
import { signQeIdentity, signTcbInfo } from "./signed.ts"
import { type Subject, withCollateral } from "./subject.ts"

const tcbTree = jsonTreeOf(JSON.parse(collateral.tcb_info))
const qeTree = jsonTreeOf(JSON.parse(collateral.qe_identity))

export const diagnosis: Subject = {
  name: "diagnosis",
  weight: 3,
  run: (rng, target): Attempt<unknown> => {
    const { parts, keys, quote, machine } = rng.pick(SCENARIOS)
    const [leaf, authority, root] = chainOf(machine)
    const broken = (text: string, key: typeof rootKey) =>
      Buffer.from(resignedDer(rng, Buffer.from(text, "hex"), key)).toString("hex")
    const [bytes, bundle] = rng.pick([
      () => [mutateBytes(rng, quote), collateral] as const,
      () =>
        [assemble(resign({ ...parts, body: mutateBytes(rng, parts.body) }, keys, true)), collateral] as const,
      () =>
        [
          assemble({ ...parts, chain: pemBytes([resignedDer(rng, leaf, authorityKey), authority, root]) }),
          collateral,
        ] as const,
      () => [quote, withCollateral(signTcbInfo(mutateDocument(rng, tcbTree)))] as const,
      () => [quote, withCollateral(signQeIdentity(mutateDocument(rng, qeTree)))] as const,
      () => [quote, withCollateral({ pck_crl: broken(collateral.pck_crl, authorityKey) })] as const,
      () =>
        [
          quote,
          withCollateral({ root_ca_crl: rng.oneIn(4) ? "zz" : broken(collateral.root_ca_crl, rootKey) }),
        ] as const,
      () =>
        [
          quote,
          withCollateral({
            tcb_info_issuer_chain: Buffer.from(
              mutateBytes(rng, Buffer.from(collateral.tcb_info_issuer_chain)),
            ).toString("latin1"),
          }),
        ] as const,
    ])()
    const given = { ...options, collateral: bundle }
    const verdict = attempt(() => target.verify(bytes, given))
    const outcome = attempt(() =>
      target.explain(bytes, { collateral: bundle, time: options.time, policy: { floors: options.floors } }),
    )
    if (outcome.status === "refused") throw new Violation(`the diagnosis itself failed with ${outcome.code}`)
    const { failure, verdict: said } = outcome.value
    const code = verdict.status === "refused" ? verdict.code : null
    if ((failure?.code ?? null) !== code || (said === "refused") !== (code !== null))
      throw new Violation(`the verifier says ${code ?? "accepted"}, the diagnosis ${failure?.code ?? said}`)
    return verdict
  },
}

/** Offsets of registers in a TD report. */
const [CONFIG_ID, RTMR3] = [184, 472]

const DENIED = parseDigest(`0x${"00".repeat(32)}`)

/** A good quote of the boot that the genuine log tells. */
const booted = (() => {
  const { parts, keys } = SCENARIOS[0] as (typeof SCENARIOS)[number]
  const body = Uint8Array.from(parts.body)
  body.set(Buffer.from(`01${genuine.facts.composeHash.slice(2)}${"00".repeat(15)}`, "hex"), CONFIG_ID)
  body.set(Buffer.from(genuine.register.slice(2), "hex"), RTMR3)
  return assemble(resign({ ...parts, body }, keys, true))
})()

export const diagnosedLog: Subject = {
  name: "diagnosis of a log",
  weight: 3,
  run: (rng, target): Attempt<unknown> => {
    const log = mutateDocument(rng, logTree)
    const providers = [rng.oneIn(8) ? DENIED : genuine.facts.providerId]
    const outcome = attempt(() =>
      target.explain(booted, {
        ...{ collateral, time: options.time, eventLog: log },
        policy: { floors: options.floors, providers },
      }),
    )
    if (outcome.status === "refused") throw new Violation(`the diagnosis itself failed with ${outcome.code}`)
    const { failure, boot } = outcome.value
    if (failure !== null) return { status: "refused", code: failure.code } as Attempt<unknown>
    mustEqual("the register", oracle(log).register, genuine.register)
    mustEqual("the facts", boot, genuine.facts)
    mustEqual("the provider", providers, [genuine.facts.providerId])
    return outcome
  },
}
