// Runs each task in a worker of its own, so many at a time, and ends those that take too long: a mutant may loop
// without a step, and then no step limit ends it.
import { Worker } from 'node:worker_threads'
import type { SourceLines } from '../../src/hunt/reached.ts'
import type { Fate, Task } from './worker.ts'

/** What a task gave; undefined: it took too long. */
type Answer<T extends Task> = (T extends { what: 'reach' } ? SourceLines : Fate) | undefined

/**
 * The answers of all tasks, in their order, which `at` is told one by one as they come. Stops taking tasks when
 * `signal` is aborted; those have no answer. `seconds` is the time that a task may take.
 */
export async function runTasks<T extends Task>(
  tasks: readonly T[],
  { workers, seconds, signal }: { workers: number; seconds: number; signal?: AbortSignal },
  at: (index: number, answer: Answer<T>) => void,
): Promise<void> {
  const left = tasks.entries()
  const take = async (): Promise<void> => {
    for (const [index, task] of left) {
      if (signal?.aborted === true) return
      at(index, await runTask(task, seconds))
    }
  }
  await Promise.all(Array.from({ length: workers }, take))
}

function runTask<T extends Task>(task: T, seconds: number): Promise<Answer<T>> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('worker.js', import.meta.url), { workerData: task })
    const end = (answer: Answer<T>): void => {
      clearTimeout(timer)
      resolve(answer)
      void worker.terminate()
    }
    const timer = setTimeout(() => end(undefined), seconds * 1000)
    worker.once('message', end)
    worker.once('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
  })
}
