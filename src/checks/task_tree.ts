// Q15: the ties between tasks. Leaves out whether a task may be reached at all (Q11) and what state it is in.
import { type Check, Findings } from './check.ts'
import { hex } from '../inspect/names.ts'
import type { RestingMachine } from './resting_machine.ts'

export const taskTree: Check = {
  id: 'Q15',
  name: 'task tree',
  description:
    "A task is on its parent's list of children, which leads to no other; nr_children counts them " +
    'and the zombies; the list of all tasks has each once.',
  run(view) {
    const { memory, symbols: s } = view
    const found = new Findings()
    const tasks = view.caches.task_struct.inUse()
    /** By task: on whose list it is. */
    const listed = new Map<number, number>()
    for (const task of tasks) {
      const children = walkChildren(view, task, listed, found)
      const counted = memory[task + s.task$nr_children]
      const zombies = memory[task + s.task$nr_zombies]
      if (zombies < 0) found.add(() => `${name(view, task)}: nr_zombies ${zombies}`)
      if (counted !== children + zombies)
        found.add(
          () =>
            `${name(view, task)}: nr_children ${counted}, expected ${children + zombies}: ` +
            `${children} on its list, ${zombies} zombies`,
        )
    }
    for (const task of tasks) {
      const parent = memory[task + s.task$parent]
      if (parent !== 0 && listed.get(task) !== parent)
        found.add(() => `${name(view, task)} is on the list of children of another than its parent`)
    }
    if (s.SWAP !== 0) walkTasks(view, tasks, found)
    return found.result()
  },
}

/** The number of children on a task's list. */
function walkChildren(
  view: RestingMachine,
  task: number,
  listed: Map<number, number>,
  found: Findings,
): number {
  const { memory, symbols: s } = view
  let children = 0
  for (let child = memory[task + s.task$children]; child !== 0; child = memory[child + s.task$sibling]) {
    if (!view.caches.task_struct.isInUse(child) || listed.has(child)) {
      found.add(
        () =>
          `${name(view, task)}: its children lead to ${hex(child)}, ` +
          `${listed.has(child) ? 'a child before' : 'no task in use'}`,
      )
      break
    }
    listed.set(child, task)
    if (memory[child + s.task$parent] !== task)
      found.add(
        () =>
          `${name(view, child)}: parent ${hex(memory[child + s.task$parent])}, expected ${name(view, task)}`,
      )
    children++
  }
  return children
}

/** The list of all tasks (machine$tasks). */
function walkTasks(view: RestingMachine, tasks: readonly number[], found: Findings): void {
  const { memory, symbols: s } = view
  const head = s.machine$tasks
  const listed = new Set<number>()
  let before = head
  for (let node = memory[head]; node !== head; node = memory[node]) {
    const task = node - s.task$tasks
    if (!view.caches.task_struct.isInUse(task) || listed.has(task)) {
      found.add(
        () =>
          `the list of all tasks leads to ${hex(node)}, ` +
          `${listed.has(task) ? 'which is on it before' : 'which is in no task in use'}`,
      )
      return
    }
    if (memory[node + 1] !== before)
      found.add(() => `${name(view, task)}: the list of all tasks links back to ${hex(memory[node + 1])}`)
    listed.add(task)
    before = node
  }
  if (memory[head + 1] !== before)
    found.add(() => 'the list of all tasks links back to another than its last')
  for (const task of tasks)
    if (!listed.has(task)) found.add(() => `${name(view, task)} is not on the list of all tasks`)
}

function name(view: RestingMachine, task: number): string {
  return `task ${view.memory[task + view.symbols.task$pid]}`
}
