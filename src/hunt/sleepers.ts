// Tasks that sleep until a word changes (sched/futex.ts), for the report of a deadlock in which no CPU has anything to
// run. Leaves out tasks that sleep for anything else, and kernel threads with nothing to do.
import type { Cause } from '../step/observer.ts'
import { nameWord } from '../inspect/hunt_names.ts'
import { nameAddress } from '../inspect/names.ts'
import type { MachineView } from '../inspect/symbols.ts'

/** A task and what it waits for, by their names: `task 1`, `scenario word 0`. */
export interface Sleeper {
  readonly task: string
  readonly word: string
}

/** Those of a machine, in the order of the tasks; none of a program without tasks. */
export function sleepersOf(view: MachineView): Sleeper[] {
  const { memory, symbols: s } = view
  if (s['task$wait_word'] === undefined) return []
  return Array.from({ length: s['NR_TASKS'] }, (_, index) => s['TASKS'] + index * s['TASK_WORDS'])
    .filter((task) => memory[task + s['task$wait_word']] !== 0)
    .filter((task) => memory[task + s['task$__state']] === s['TASK_INTERRUPTIBLE'])
    .map((task) => ({
      task: nameAddress(view, task).replace(/ \S+$/, ''),
      word: nameWord(view, memory[task + s['task$wait_word']]),
    }))
}

/** What led to the sleep of the first of them: who changed the word last, and that the task went to sleep. */
export function sleepCauses(sleepers: readonly Sleeper[]): Cause[] {
  return sleepers.slice(0, 1).flatMap(({ task, word }): Cause[] => [
    { what: `goes to sleep until ${word} changes`, object: `${task} wait_word`, writes: true },
    { what: `is the last that changes ${word}`, object: word, writes: true },
  ])
}
