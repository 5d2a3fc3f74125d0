// src/kernel/sched/fair.ts on one CPU of four: which queue a task joins, and from which one an idle CPU takes. The
// queues of the others are made up.
import { beforeEach, describe, expect, it } from 'vitest'
import { type OneCpu, oneCpu } from '../machine.ts'

const CPUS = 4

let m: OneCpu
let k: OneCpu['kernel']

beforeEach(async () => {
  m = await oneCpu(`NR_CPUS=${CPUS}`)
  k = m.kernel
  m.memory[m.symbols.machine$nr_cpus] = CPUS
  loads(0, 0, 0, 0)
})

const word = (cpu: number, field: string): number => (k.cpu_rq(cpu) as number) + m.symbols[field]

/** Says how many tasks each CPU has, the first of them being executed, and which CPUs idle. */
function loads(...tasks: number[]): void {
  for (const [cpu, count] of tasks.entries()) {
    m.memory[word(cpu, 'rq$curr')] = count > 0 ? (k.current() as number) : 0
    m.memory[word(cpu, 'rq$nr_running')] = Math.max(0, count - 1)
  }
  m.memory[m.symbols.machine$nr_idle] = tasks.filter((count) => count === 0).length
}

describe('a task that is woken', () => {
  it('goes back to its CPU if that idles', () => {
    loads(0, 0, 0, 0)
    expect(k.select_task_rq(2)).toBe(2)
  })

  it('goes to the next CPU that idles if its own does not', () => {
    loads(0, 1, 1, 0)
    expect(k.select_task_rq(1)).toBe(3)
    expect(k.select_task_rq(3)).toBe(3)
    loads(0, 1, 1, 1)
    expect(k.select_task_rq(2)).toBe(0)
  })

  it('goes back to its CPU if none idles, however long the queue is', () => {
    loads(1, 3, 1, 1)
    expect(k.select_task_rq(1)).toBe(1)
  })

  it('counts a task that only waits', () => {
    loads(0, 0, 0, 0)
    m.memory[word(1, 'rq$nr_running')] = 1
    expect(k.select_task_rq(1)).toBe(2)
  })
})

describe('a new task', () => {
  it('stays where it was made if nobody has fewer', () => {
    loads(1, 1, 2, 1)
    expect(k.select_task_rq_fork()).toBe(0)
  })

  it('goes to the CPU with the fewest', () => {
    loads(3, 2, 1, 2)
    expect(k.select_task_rq_fork()).toBe(2)
  })

  it('goes to the first of those with the fewest', () => {
    loads(1, 1, 0, 0)
    expect(k.select_task_rq_fork()).toBe(2)
  })
})

describe('a CPU that finds its queue empty', () => {
  const overload = (): number => m.memory[m.symbols.machine$overload]

  /** Tasks of which one CPU has some waiting. */
  function wait(cpu: number, n: number): number[] {
    const tasks = Array.from(
      { length: n },
      () => m.symbols.TASKS + (m.symbols.NR_TASKS - 1 - made++) * m.symbols.TASK_WORDS,
    )
    for (const task of tasks) k.enqueue_task(k.cpu_rq(cpu), task)
    m.memory[word(cpu, 'rq$curr')] = k.current() as number
    m.memory[m.symbols.machine$overload] = 1
    return tasks
  }
  let made = 0

  it('looks nowhere if no task waits for a CPU', () => {
    wait(1, 2)
    m.memory[m.symbols.machine$overload] = 0
    expect(k.newidle_balance()).toBe(false)
  })

  it('takes the first task that waits in the longest queue', () => {
    wait(1, 1)
    const [first, second] = wait(2, 2)
    expect(k.newidle_balance()).toBe(true)
    expect(m.memory[word(0, 'rq$head')]).toBe(first)
    expect(m.memory[first + m.symbols.task$cpu]).toBe(0)
    expect(m.memory[word(2, 'rq$head')]).toBe(second)
    expect(m.memory[word(2, 'rq$nr_running')]).toBe(1)
  })

  it('has others look, too, after it has found one', () => {
    wait(3, 2)
    k.newidle_balance()
    expect(overload()).toBe(1)
  })

  it('says that nothing waits when it has found nothing', () => {
    m.memory[m.symbols.machine$overload] = 1
    expect(k.newidle_balance()).toBe(false)
    expect(overload()).toBe(0)
  })

  it('leaves a CPU the only task that it executes', () => {
    loads(0, 1, 1, 1)
    m.memory[m.symbols.machine$overload] = 1
    expect(k.newidle_balance()).toBe(false)
  })
})
