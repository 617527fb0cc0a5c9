/**
 * The library's build for browsers, in this process. It needs nothing of a browser here but the global scope's name: threads,
 * which it would start as web workers, stay off.
 */
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import type { TfheLoader } from "@twinlock/sdk/fhe/load"

export const loadWebTfhe: TfheLoader = async () => {
  const scope = globalThis as Record<string, unknown>
  scope["self"] ??= globalThis
  scope["addEventListener"] ??= () => {}
  const web = await import("tfhe")
  const module = await readFile(fileURLToPath(import.meta.resolve("tfhe/tfhe_bg.wasm")))
  web.initSync({ module })
  return web
}
