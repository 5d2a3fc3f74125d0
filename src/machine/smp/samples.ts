// What the CPUs of the smp machine are seen doing while they run: samples of their memory, summed up.
import type { MachineView } from '../../inspect/symbols.ts'
import { isHalted, isIdle, waitKind, waitManner } from '../../inspect/waits.ts'

/** What the CPUs were seen doing, in regular samples. */
export interface WaitSamples {
  /** Looks times CPUs. */
  looks: number
  idle: number
  halted: number
  /** Waiting for a spinlock. */
  spinlocks: number
  /** How many found a CPU waiting, by what for (`mm mmap_lock`). */
  readonly waits: Map<string, number>
}

/** Samples before the first one. */
export function noSamples(): WaitSamples {
  return { looks: 0, idle: 0, halted: 0, spinlocks: 0, waits: new Map() }
}

/** Adds one sample of each CPU. */
export function takeSample(samples: WaitSamples, view: MachineView, cpus: number): void {
  for (let cpu = 0; cpu < cpus; cpu++) {
    samples.looks++
    if (isIdle(view, cpu)) samples.idle++
    const wait = waitKind(view, cpu, cpus)
    if (wait === undefined) continue
    if (isHalted(view, cpu)) samples.halted++
    if (waitManner(view, cpu) === 'spinlock') samples.spinlocks++
    samples.waits.set(wait, (samples.waits.get(wait) ?? 0) + 1)
  }
}
