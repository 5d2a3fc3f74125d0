// Executions written by hand: a line a step, `CPU KIND object`; `waiting` before the kind: the CPU wanted it when the
// execution ended.
import { Kind, KIND_FLAGS, WRITES } from '../../src/step/kinds.ts'
import { isHousekeeping } from '../../src/inspect/hunt_names.ts'
import type { DescribedStep } from '../../src/hunt/narrator.ts'

/** The mark of a step that did not happen. */
export const waiting = '[waits]'

const KINDS: Readonly<Record<string, number>> = { ...Kind, READ: Kind.ONCE_READ, WRITE: Kind.ONCE_WRITE }

/**
 * The steps of `text`; each object is one word. Those that were wanted at the end go behind the others, as in a
 * description.
 */
export function execution(text: string): DescribedStep[] {
  const objects: string[] = []
  const steps = text
    .trim()
    .split('\n')
    .map((line, index): DescribedStep => {
      const [, cpu, mark, access, object] = /^\s*(\d) (\[waits\] )?(\w+) (.*?)\s*$/.exec(line)!
      if (!objects.includes(object)) objects.push(object)
      const kind = KINDS[access]
      return {
        ...{ index, context: Number(cpu), cpu: Number(cpu), irq: false, kind, site: index },
        ...{ address: 0x1000 + 0x40 * objects.indexOf(object), words: 1 },
        ...{ function: 'by_hand', file: 'src/kernel/by_hand.ts', line: index + 1 },
        ...{ access, object, old: 0, value: 0, writes: (KIND_FLAGS[kind] & WRITES) !== 0 },
        ...{ housekeeping: isHousekeeping(object), text: `${access} ${object}` },
        ...(mark === undefined ? {} : { pending: 'waiting' as const }),
      }
    })
  return steps.toSorted(
    (one, other) => Number(one.pending !== undefined) - Number(other.pending !== undefined),
  )
}
