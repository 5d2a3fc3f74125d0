/**
 * Time that a modelled device takes (arch/x86/lib/delay.c, 6.1, in spirit). On the stepped machine there is no time: what others do
 * meanwhile is the scheduler's choice.
 */
import { STEPPED } from '#config'
import { poll_irq } from './irq.ts'
import { clock } from './machine.ts'

/** Lets `ns` nanoseconds pass, taking interrupts. */
export function ndelay(ns: number): void {
  if (STEPPED || ns === 0) return
  const end = clock() + ns
  while (clock() < end) poll_irq()
}
