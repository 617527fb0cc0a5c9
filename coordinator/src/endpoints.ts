/**
 * The host chain behind several endpoints, of which one that answers is enough. Questions go to one after the other, those
 * that were silent last; transactions go to all of them at once.
 */
import { type JsonRpcPayload, JsonRpcProvider, type JsonRpcResult } from "ethers"
import { createEndpoint, type Endpoint, type EndpointAnswer, type EndpointLimits } from "./endpoint.ts"

/** A contract's own word: another endpoint would say the same. */
const isRevert = (said: EndpointAnswer): boolean =>
  "error" in said && /revert/i.test(JSON.stringify(said.error))

/** What another endpoint may know better. */
const isNothing = (said: EndpointAnswer): boolean =>
  "error" in said ? !isRevert(said) : said.result === null

/** Of answers that are nothing, a result says more than an error: what was asked for is not there. */
const better = (earlier: EndpointAnswer | null, later: EndpointAnswer): EndpointAnswer =>
  earlier === null || ("error" in earlier && "result" in later) ? later : earlier

export class Endpoints extends JsonRpcProvider {
  readonly #all: readonly Endpoint[]

  constructor(urls: readonly string[], chainId: number, limits: EndpointLimits) {
    // Questions of their own, so that each finds the endpoint that can answer it.
    super(urls[0], chainId, { staticNetwork: true, batchMaxCount: 1 })
    this.#all = urls.map((url) => createEndpoint(url, limits))
  }

  /** The base class declares results only, and takes errors as well. */
  override async _send(payload: JsonRpcPayload | JsonRpcPayload[]): Promise<JsonRpcResult[]> {
    return Promise.all(
      [payload].flat().map(async (each) => {
        const said = await (each.method === "eth_sendRawTransaction" ? this.#tellAll(each) : this.#ask(each))
        return { id: each.id, ...said } as JsonRpcResult
      }),
    )
  }

  async #ask(payload: JsonRpcPayload): Promise<EndpointAnswer> {
    const inTurn = this.#all.toSorted((a, b) => Number(b.answers()) - Number(a.answers()))
    let best: EndpointAnswer | null = null
    let failure: unknown
    for (const endpoint of inTurn) {
      try {
        const said = await endpoint.ask(payload)
        if (!isNothing(said)) return said
        best = better(best, said)
      } catch (error) {
        failure = error
      }
    }
    if (best === null) throw failure
    return best
  }

  /** The first that takes it is enough. A refusal waits for the others, but not for those that have been silent. */
  #tellAll(payload: JsonRpcPayload): Promise<EndpointAnswer> {
    const awaited = new Set(this.#all.filter((endpoint) => endpoint.answers()))
    return new Promise((resolve, reject) => {
      let refusal: EndpointAnswer | null = null
      let failure: unknown
      let open = this.#all.length
      const left = (endpoint: Endpoint) => {
        open -= 1
        awaited.delete(endpoint)
        if (refusal !== null && awaited.size === 0) resolve(refusal)
        else if (open === 0) reject(failure)
      }
      for (const endpoint of this.#all)
        endpoint
          .ask(payload)
          .then((said) => {
            if ("result" in said) resolve(said)
            else refusal ??= said
          })
          .catch((error: unknown) => {
            failure = error
          })
          .finally(() => left(endpoint))
    })
  }
}
