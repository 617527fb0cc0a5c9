/** Size of what a browser loads to verify and appraise quotes: minified, with its dependencies, compressed. */
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { rolldown } from "rolldown"
import { type Figure, figure } from "./figure.ts"

/**
 * Every public module of the folder, and through them all of it, without the devnet's root, which no production
 * bundle has.
 */
const MODULES = [
  "verifyQuote",
  "collateralBundle",
  "policy",
  "composeFile",
  "eventLog",
  "reportData",
  "evidence",
  "image",
  "explain",
] as const
const ENTRY = "virtual:attestation"

/** @param modules of sdk/src/attestation that the bundle exports. */
export async function bundleOf(modules: readonly string[]): Promise<string> {
  const folder = join(import.meta.dirname, "..", "sdk", "src", "attestation")
  const source = modules
    .map((name) => `export * from ${JSON.stringify(join(folder, `${name}.ts`))}`)
    .join("\n")
  const bundle = await rolldown({
    input: ENTRY,
    platform: "browser",
    plugins: [
      {
        name: "entry",
        resolveId: (id) => (id === ENTRY ? id : null),
        load: (id) => (id === ENTRY ? source : null),
      },
    ],
  })
  try {
    const { output } = await bundle.generate({ format: "esm", minify: true, codeSplitting: false })
    return output[0].code
  } finally {
    await bundle.close()
  }
}

export async function attestationBundle(): Promise<readonly Figure[]> {
  const code = await bundleOf(MODULES)
  const size = (text: string) => gzipSync(text, { level: 9 }).length
  return [
    figure("bundle.attestation_gzip_bytes", size(code), "bytes", {
      minified: code.length,
      modules: MODULES.join(" "),
    }),
    figure("bundle.verify_quote_gzip_bytes", size(await bundleOf(["verifyQuote"])), "bytes", {
      modules: "verifyQuote",
    }),
  ]
}
