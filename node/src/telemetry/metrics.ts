/**
 * Prometheus metrics behind a small interface, so that protocol code does not import the library. Label values must
 * come from closed sets (error codes, roles, kinds, registered signers), never from input.
 */
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client"

export type Labels = Readonly<Record<string, string>>

export type CounterMetric = { add(labels?: Labels, by?: number): void }
export type GaugeMetric = { set(value: number, labels?: Labels): void }
/** Observes seconds. */
export type DurationMetric = { observe(seconds: number, labels?: Labels): void }

export type MetricOptions = {
  /** Lower-case words; counters end in _total, durations in _seconds; the prefix twinlock_ is added. */
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
}

export type Metrics = {
  counter(options: MetricOptions): CounterMetric
  gauge(options: MetricOptions): GaugeMetric
  duration(options: MetricOptions): DurationMetric
  /** Text exposition format. */
  text(): Promise<string>
  readonly contentType: string
}

export type MetricsErrorCode = "METRIC_BAD_NAME"

const DURATION_BUCKETS = [0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 180]

function fullName(name: string, ending: "_total" | "_seconds" | null): string {
  const ends = ending === null ? !/_(total|seconds)$/.test(name) : name.endsWith(ending)
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(name) || !ends)
    throw new ProtocolError({
      code: "METRIC_BAD_NAME" satisfies MetricsErrorCode,
      message: `a metric of this kind ends in ${ending ?? "neither _total nor _seconds"}: ${name}`,
    })
  return `twinlock_${name}`
}

/** A registry of its own; asking twice for one name gives the same metric. */
export function createMetrics({ process = false }: { readonly process?: boolean } = {}): Metrics {
  const registry = new Registry()
  if (process) collectDefaultMetrics({ register: registry, prefix: "twinlock_" })
  const known = new Map<string, unknown>()
  const once = <M>(name: string, make: () => M): M => {
    const made = (known.get(name) as M | undefined) ?? make()
    known.set(name, made)
    return made
  }
  const settings = (name: string, { help, labels = [] }: MetricOptions) => ({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
  })
  return {
    counter(options) {
      const name = fullName(options.name, "_total")
      const metric = once(name, () => new Counter(settings(name, options)))
      return { add: (labels = {}, by = 1) => metric.inc(labels, by) }
    },
    gauge(options) {
      const name = fullName(options.name, null)
      const metric = once(name, () => new Gauge(settings(name, options)))
      return { set: (value, labels = {}) => metric.set(labels, value) }
    },
    duration(options) {
      const name = fullName(options.name, "_seconds")
      const metric = once(
        name,
        () => new Histogram({ ...settings(name, options), buckets: DURATION_BUCKETS }),
      )
      return { observe: (seconds, labels = {}) => metric.observe(labels, seconds) }
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  }
}
