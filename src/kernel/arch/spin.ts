/**
 * Spinning that ends: a CPU looks at a word for as long as it has patience, then goes to sleep in another way (the
 * loops around cpu_relax, need_resched and vcpu_is_preempted, 6.1). Nobody has to wake it, so whoever changes the word
 * pays nothing.
 */
import { load, READ_ONCE } from './access.ts'
import { poll_irq } from './irq.ts'
import { machine$spin_patience } from './memory_map.ts'
import { check_panic, smp_cond_load } from './wait.ts'

/**
 * Looks at the word at `p` while it holds `old`, taking interrupts. Returns what it holds then: `old` when patience is
 * over. On the clock, where every CPU runs, patience has no end.
 */
export function spin_while(p: number, old: number): number {
  let patience = load(machine$spin_patience)
  if (patience === 0) return smp_cond_load(p, old)
  let value = READ_ONCE(p)
  for (; value === old && patience > 0; patience--) {
    poll_irq()
    check_panic()
    value = READ_ONCE(p)
  }
  return value
}
