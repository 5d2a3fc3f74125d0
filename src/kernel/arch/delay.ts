/**
 * Short delays (include/linux/delay.h, 6.1: ndelay). On the clock the time passes and nothing else does; in a hunt, which has no time,
 * it takes none.
 */
import { clock } from './machine.ts'

/** Lets `ns` nanoseconds pass on this CPU. */
export function ndelay(ns: number): void {
  const end = clock() + ns
  while (clock() < end);
}
