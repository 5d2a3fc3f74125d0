// A CPU of the smp machine as its host has it: a worker thread, what can be asked of it, and whether it is busy.
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { type Remote, wrap } from 'comlink'
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import { packageRoot } from '../../base/root.ts'
import { WorkerDied } from '../../inspect/failure.ts'
import type { CpuApi, CpuSetup } from './protocol.ts'

/**
 * Set in the host before the first CPU starts. A kernel path is dozens of small functions: V8's default budgets for
 * inlining end in the middle of it. Accessors such as this_cpu_read, of up to 60 bytes of bytecode, are always inlined.
 */
export const V8_FLAGS = [
  '--max-inlined-bytecode-size=2000',
  '--max-inlined-bytecode-size-cumulative=4000',
  '--max-inlined-bytecode-size-absolute=30000',
  '--max-inlined-bytecode-size-small=60',
  '--max-optimized-bytecode-size=120000',
]

export interface Cpu {
  readonly worker: Worker
  readonly api: Remote<CpuApi>
  /** Rejects when the worker ends. */
  readonly died: Promise<never>
  busy: boolean
}

/** Starts the thread of a CPU. `died` rejects with WorkerDied. */
export function startCpu(setup: CpuSetup): Cpu {
  const worker = new Worker(join(packageRoot(), 'dist', 'workers', 'cpu.js'), {
    workerData: setup,
    execArgv: [],
    name: `CPU ${setup.cpu}`,
  })
  const died = new Promise<never>((_, reject) => {
    worker.once('error', (error: Error) => reject(new WorkerDied(setup.cpu, `threw ${error.message}`)))
    worker.once('exit', (code) => reject(new WorkerDied(setup.cpu, `ended with status ${code}`)))
  })
  died.catch(() => {})
  return { worker, api: wrap<CpuApi>(nodeEndpoint(worker)), died, busy: false }
}
