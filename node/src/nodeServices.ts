/** What a node does, by its role. */
import { assertNever } from "@twinlock/sdk/protocol/errors"
import type { ServiceFactory } from "./nodeContext.ts"
import { executorServices } from "./roles/executor.ts"
import { keyholderServices } from "./roles/keyholder.ts"

export const nodeServices: ServiceFactory = (context) => {
  const { role } = context.config
  switch (role) {
    case "keyholder":
      return keyholderServices(context)
    case "executor":
      return executorServices(context)
    default:
      return assertNever(role)
  }
}
