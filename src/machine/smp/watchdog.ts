// The soft lockup watchdog (kernel/watchdog.c in spirit): finds the CPU that has begun no operation for too long. Leaves out what is
// done about it.

/** What the watchdog knows of a CPU between two looks. */
interface Watched {
  operations: number
  since: number
}

/**
 * A watchdog over `cpus` CPUs. Each call of the result looks once: it returns the first CPU that is busy and whose count of
 * operations has been the same for `limit` milliseconds, or -1.
 * @param operations the CPU's count of operations
 * @param idle whether the CPU has nothing to do
 */
export function softLockupWatchdog(
  cpus: number,
  limit: number,
  operations: (cpu: number) => number,
  idle: (cpu: number) => boolean,
): (now: number) => number {
  const watched: (Watched | undefined)[] = Array.from({ length: cpus })
  return (now) => {
    let found = -1
    for (let cpu = 0; cpu < cpus; cpu++) {
      const count = operations(cpu)
      const last = watched[cpu]
      if (last === undefined || last.operations !== count || idle(cpu))
        watched[cpu] = { operations: count, since: now }
      else if (found < 0 && now - last.since >= limit) found = cpu
    }
    return found
  }
}
