/** GET /v1/network: where to look. A client checks every digest against the registry. */
import type { NetworkBody } from "@twinlock/sdk/protocol/http"
import { parseAddress } from "@twinlock/sdk/protocol/ids"
import type { Route } from "../app.ts"
import type { ActiveKey } from "../gateway.ts"

export function networkRoutes(
  activeKey: () => Promise<ActiveKey | null>,
  network: { readonly chainId: number; readonly keyRegistry: string },
): Route {
  const keyRegistry = parseAddress(network.keyRegistry)
  return (app) => {
    app.get("/v1/network", async (context) => {
      const key = await activeKey()
      const body: NetworkBody = {
        chainId: String(network.chainId),
        keyRegistry,
        keys: key === null ? [] : [key],
      }
      return context.json(body)
    })
  }
}
