/**
 * Short delays and the time (include/linux/delay.h and timekeeping.h, 6.1: ndelay, ktime_get_ns). On the clock the time passes and nothing else does; in a hunt, which has no time,
 * it takes none.
 */
import { clock } from './machine.ts'

/** Lets `ns` nanoseconds pass on this CPU. */
export function ndelay(ns: number): void {
  const end = clock() + ns
  while (clock() < end);
}

/** Nanoseconds on this CPU's clock; in a hunt, steps. */
export function ktime_get_ns(): number {
  return clock()
}
