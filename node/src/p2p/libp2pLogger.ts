/** libp2p logs through `debug`; the node's own log says what matters, so libp2p's is dropped whatever DEBUG says. */
import type { ComponentLogger, Logger } from "@libp2p/interface"

const silent: Logger = Object.assign(() => {}, {
  error: () => {},
  trace: () => {},
  enabled: false,
  newScope: () => silent,
})

export const silentLibp2pLogger: ComponentLogger = { forComponent: () => silent }
