// The soft lockup watchdog (kernel/watchdog.c in spirit): finds the CPU that has begun no operation for too long.
// Leaves out what is done about it.

/** What the watchdog knows of a CPU between two samples. */
interface Watched {
  readonly progress: number
  readonly since: number
}

/** What the watchdog sees of a CPU. */
export interface WatchedCpu {
  /** Whatever changes while the CPU gets on: its count of operations. */
  readonly progress: number
  /** It has nothing to do. */
  readonly idle: boolean
  /** Milliseconds that it may stay as it is. */
  readonly limit: number
}

/**
 * A watchdog over `cpus` CPUs. Each call of the result looks once, at the time `now` in milliseconds: it returns the
 * first CPU that is busy and has made no progress for its limit, or -1.
 */
export function softLockupWatchdog(cpus: number, look: (cpu: number) => WatchedCpu): (now: number) => number {
  const watched: (Watched | undefined)[] = Array.from({ length: cpus })
  return (now) => {
    let found = -1
    for (let cpu = 0; cpu < cpus; cpu++) {
      const { progress, idle, limit } = look(cpu)
      const last = watched[cpu]
      if (last === undefined || last.progress !== progress || idle) watched[cpu] = { progress, since: now }
      else if (found < 0 && now - last.since >= limit) found = cpu
    }
    return found
  }
}
