// The Markov model of lock collapse (Boyd-Wickizer et al., OLS 2012): a birth-death chain of the CPUs that hold a lock
// or wait for it.

/** Critical section, refetch of the line, and mean time between a release and the next arrival, in ns. */
export interface LockModel {
  readonly section: number
  readonly refetch: number
  readonly think: number
}

/**
 * Operations per microsecond of `cpus` CPUs. With j waiters a ticket lock is handed over in refetch * j / 2, a queue
 * lock in one refetch.
 */
export function lockThroughput(cpus: number, model: LockModel, queue: boolean): number {
  const { section, refetch, think } = model
  const rate = (inside: number): number => {
    const waiters = inside - 1
    return 1 / (section + (queue ? (waiters > 0 ? refetch : 0) : (refetch * waiters) / 2))
  }
  // Relative to the greatest one: the weights themselves would overflow.
  const logs = [0]
  for (let inside = 1; inside <= cpus; inside++)
    logs.push(logs[inside - 1] + Math.log((cpus - inside + 1) / think / rate(inside)))
  const greatest = Math.max(...logs)
  const weights = logs.map((log) => Math.exp(log - greatest))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  let throughput = 0
  for (let inside = 1; inside <= cpus; inside++) throughput += (weights[inside] / total) * rate(inside)
  return throughput * 1000
}

/** The number of CPUs, up to `most`, at which a ticket lock's throughput is highest. */
export function peakOf(model: LockModel, most: number): number {
  let best = 1
  for (let cpus = 2; cpus <= most; cpus++)
    if (lockThroughput(cpus, model, false) > lockThroughput(best, model, false)) best = cpus
  return best
}
