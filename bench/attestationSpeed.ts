/** Time of a quote's verification, with fresh and with kept collateral, and against `@phala/dcap-qvl` in the same run. */
import { QuoteVerifier as DcapVerifier } from "@phala/dcap-qvl"
import { createPlatform } from "@twinlock/devnet/platform/platform"
import { createDevnetQuoteVerifier, DEVNET_CHAIN_ID } from "@twinlock/sdk/attestation/devnetRoot"
import { rootIdOf } from "@twinlock/sdk/attestation/underRoot"
import { type Figure, figure, percentile } from "./figure.ts"

const NOW = 1_791_158_400
const WARM_UP = 30

const timed = (run: () => void): number => {
  const from = performance.now()
  run()
  return performance.now() - from
}

/** @param rounds of each verifier, after as many as it takes to be warm; they take turns. */
export function attestationSpeed(rounds: number): readonly Figure[] {
  const platform = createPlatform({ seed: "benchmark", now: NOW })
  const rootKey = platform.root.key.publicKey
  const verifier = createDevnetQuoteVerifier({
    chainId: DEVNET_CHAIN_ID,
    rootKey,
    contractRootId: rootIdOf(rootKey),
  })
  const terms = { time: NOW, floors: { tcb: 20, qe: 20 } }
  const bundle = platform.collateral()
  const quote = platform.quote()
  const kept = verifier.verifyCollateral(bundle, terms)
  const other = DcapVerifier.newWithRootCa(Buffer.from(platform.rootCertificate))
  const given = Buffer.from(quote)

  const runs = {
    whole: () => verifier.verify(quote, { ...terms, collateral: bundle }),
    kept: () => verifier.verify(quote, { ...terms, collateral: kept }),
    other: () => other.verify(given, { ...bundle }, NOW),
  }
  const times = { whole: [] as number[], kept: [] as number[], other: [] as number[] }
  for (let round = -WARM_UP; round < rounds; round++)
    for (const name of ["whole", "kept", "other"] as const) {
      const time = timed(runs[name])
      if (round >= 0) times[name].push(time)
    }
  const params = { quote: "v4", bytes: quote.length, rounds }
  const at = (name: string, list: readonly number[]) =>
    [50, 99].map((p) => figure(name, percentile(list, p), "ms", { ...params, p }))
  return [
    ...at("attestation.verify_ms", times.whole),
    ...at("attestation.verify_cached_ms", times.kept),
    figure(
      "attestation.ratio_to_dcap_qvl",
      percentile(times.whole, 50) / percentile(times.other, 50),
      "ratio",
      {
        ...params,
        p: 50,
        dcap_qvl_ms: Number(percentile(times.other, 50).toFixed(2)),
      },
    ),
  ]
}
