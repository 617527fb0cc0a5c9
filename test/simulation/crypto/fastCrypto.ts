/**
 * Imported before anything of node or SDK: their imports of the signature, FROST and sealing modules get the ideal ones of
 * this folder, in this thread. Every second curve operation of a run would otherwise cost more than the rest of it.
 */
import { registerHooks } from "node:module"

const REPLACED = [
  [/\/sdk\/src\/protocol\/signature\.ts$/, "idealSignature.ts"],
  [/\/sdk\/src\/threshold\/frostSign\.ts$/, "idealFrost.ts"],
  [/\/sdk\/src\/threshold\/frostRound\.ts$/, "idealRound.ts"],
  [/\/sdk\/src\/threshold\/frost\.ts$/, "idealGroupKey.ts"],
  [/\/sdk\/src\/threshold\/sealedBox\.ts$/, "idealBox.ts"],
] as const
/** These stand on the real modules. */
const EXEMPT = /\/test\/simulation\/crypto\/ideal[A-Za-z]+\.ts$/

registerHooks({
  resolve: (specifier, context, next) => {
    const found = next(specifier, context)
    if (EXEMPT.test(context.parentURL ?? "")) return found
    const replaced = REPLACED.find(([pattern]) => pattern.test(found.url))
    return replaced === undefined ? found : { ...found, url: new URL(replaced[1], import.meta.url).href }
  },
})
