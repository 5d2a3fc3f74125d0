/**
 * Short delays and the time (include/linux/delay.h and timekeeping.h, 6.1: ndelay, ktime_get_ns): what a modelled
 * device takes, and what a scenario thinks. On the clock the time passes and nothing else does; a hunt has no time, and
 * what others do meanwhile is the scheduler's choice.
 */
import { poll_irq } from './irq.ts'
import { clock } from './machine.ts'

/** Lets `ns` nanoseconds pass on this CPU, taking interrupts. */
export function ndelay(ns: number): void {
  if (ns === 0) return
  const end = clock() + ns
  while (clock() < end) poll_irq()
}

/** Nanoseconds on this CPU's clock; in a hunt, steps. */
export function ktime_get_ns(): number {
  return clock()
}
