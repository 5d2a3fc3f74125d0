// Which tasks sleep until a word changes, from a machine's memory.
import { expect, test } from 'vitest'
import { sleepCauses, sleepersOf } from '../../src/hunt/sleepers.ts'

const symbols = {
  TASKS: 64,
  TASK_WORDS: 8,
  NR_TASKS: 3,
  task$pid: 0,
  task$__state: 1,
  task$wait_word: 2,
  TASK_INTERRUPTIBLE: 1,
  MEMMAP: 256,
  RQ: 128,
  RQ_WORDS: 8,
  NR_CPUS: 2,
  rq$event: 0,
}
const RUN_QUEUE_1_EVENT = 136

/** A machine of three tasks: each its state and the word that it waits for. */
function machine(...tasks: readonly (readonly [state: number, word: number])[]): {
  memory: Int32Array
  symbols: typeof symbols
} {
  const memory = new Int32Array(512)
  for (const [index, [state, word]] of tasks.entries()) memory.set([index + 1, state, word], 64 + 8 * index)
  return { memory, symbols }
}

test('a task sleeps that waits for a word and is not running', () => {
  const view = machine([0, 0], [1, RUN_QUEUE_1_EVENT], [0, RUN_QUEUE_1_EVENT])
  expect(sleepersOf(view)).toEqual([{ task: 'task 2', word: 'run queue 1 event' }])
})

test('a kernel thread with nothing to do is none', () => {
  expect(sleepersOf(machine([2, RUN_QUEUE_1_EVENT]))).toEqual([])
})

test('a program without tasks has none', () => {
  expect(sleepersOf({ memory: new Int32Array(8), symbols: {} })).toEqual([])
})

test('what led to the sleep is the last change of the word, and going to sleep', () => {
  expect(sleepCauses([{ task: 'task 2', word: 'flag' }]).map(({ object }) => object)).toEqual([
    'task 2 wait_word',
    'flag',
  ])
})
