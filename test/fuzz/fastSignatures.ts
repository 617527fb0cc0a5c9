/** Imported before anything of the SDK: its imports of `p256.ts` get `openssl.ts`, in this thread. */
import { registerHooks } from "node:module"

const OWN = /\/sdk\/src\/attestation\/p256\.ts$/
/** These two compare both. */
const EXEMPT = /\/test\/fuzz\/(openssl|subjects\/signatures)\.ts$/

registerHooks({
  resolve: (specifier, context, next) => {
    const found = next(specifier, context)
    if (!OWN.test(found.url) || EXEMPT.test(context.parentURL ?? "")) return found
    return { ...found, url: new URL("./openssl.ts", import.meta.url).href }
  },
})
