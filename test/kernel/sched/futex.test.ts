// src/kernel/sched/futex.ts on one CPU: who waits for a word, and whom its change wakes.
import { beforeEach, describe, expect, it } from 'vitest'
import { type Filled, filled, NO_PROGRAM } from '../filled.ts'

let m: Filled
let k: Filled['kernel']
/** Words of the scenario, and one of the same bucket as the first. */
let word: number
let other: number

beforeEach(async () => {
  m = await filled()
  k = m.kernel
  word = m.symbols.machine$scenario
  other = word + m.symbols.NR_FUTEX_QUEUES * 16
})

const state = (task: number): number => m.memory[task + m.symbols.task$__state]
const waitsFor = (task: number): number => m.memory[task + m.symbols.task$wait_word]

/** A task that waits for a word. */
function waiter(p = word): number {
  const task = m.task(k.sys_clone_thread(NO_PROGRAM) as number)
  const self = k.current() as number
  m.become(task)
  expect(k.task_wait(p, 0)).toBe(true)
  m.become(self)
  return task
}

describe('task_wait', () => {
  it('has a task sleep while the word is what it was', () => {
    const task = waiter()
    expect([state(task), waitsFor(task)]).toEqual([m.symbols.TASK_INTERRUPTIBLE, word])
  })

  it('does not if the word has changed already', () => {
    m.memory[word] = 1
    expect(k.task_wait(word, 0)).toBe(false)
    expect([state(k.current()), waitsFor(k.current())]).toEqual([m.symbols.TASK_RUNNING, 0])
  })
})

describe('task_wait_idle', () => {
  it('lets the work of the machine end without the thread, until it is woken', () => {
    const tasks = (): number => m.memory[m.symbols.machine$nr_tasks]
    const before = tasks()
    const self = k.current() as number
    const thread = m.task(k.sys_clone_thread(NO_PROGRAM) as number)
    m.become(thread)
    k.task_wait_idle(word, 0)
    m.become(self)
    expect([state(thread), tasks()]).toEqual([m.symbols.TASK_IDLE, before])
    k.task_wake(word)
    expect([state(thread), tasks()]).toEqual([m.symbols.TASK_RUNNING, before + 1])
  })
})

describe('task_wake', () => {
  it('wakes all that wait for the word', () => {
    const tasks = [waiter(), waiter(), waiter()]
    k.task_wake(word)
    expect(tasks.map(state)).toEqual(tasks.map(() => m.symbols.TASK_RUNNING))
    expect(tasks.map(waitsFor)).toEqual([0, 0, 0])
  })

  it('leaves those that wait for another word of the same bucket', () => {
    const [first, second, third] = [waiter(), waiter(other), waiter()]
    k.task_wake(word)
    expect([first, second, third].map(state)).toEqual([
      m.symbols.TASK_RUNNING,
      m.symbols.TASK_INTERRUPTIBLE,
      m.symbols.TASK_RUNNING,
    ])
    k.task_wake(other)
    expect(state(second)).toBe(m.symbols.TASK_RUNNING)
  })
})

describe('futex_unqueue', () => {
  it('takes a task that a signal has woken off the list, and no other', () => {
    const [first, second, third] = [waiter(), waiter(), waiter()]
    k.futex_unqueue(second)
    expect([first, second, third].map(waitsFor)).toEqual([word, 0, word])
    k.task_wake(word)
    expect([first, third].map(state)).toEqual([m.symbols.TASK_RUNNING, m.symbols.TASK_RUNNING])
    expect(state(second)).toBe(m.symbols.TASK_INTERRUPTIBLE)
  })

  it('has nothing to do for a task that was woken by its word', () => {
    const [first, second] = [waiter(), waiter()]
    k.task_wake(word)
    k.futex_unqueue(first)
    expect([first, second].map(waitsFor)).toEqual([0, 0])
  })
})
