// A machine for the tests of locking: an image with the locks and fixtures/locks.ts as its entry, no kernel around it.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { onTestFinished } from 'vitest'
import { configConstants, parseConfig } from '../../src/kbuild/config.ts'
import { chosenModules, loadImage } from '../../src/kbuild/index.ts'
import { link } from '../../src/kbuild/link.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

// oxlint-disable-next-line typescript/no-explicit-any -- the fixture's exports are not typed
type Kernel = Record<string, any>

export interface LockMachine {
  /** CPU 0 of the machine, on this thread: for initialising and for looking at it. */
  readonly kernel: Kernel
  readonly memory: Int32Array
  readonly stat: Float64Array
  readonly symbols: Readonly<Record<string, number>>
  /** First word of a part of memory that nothing else uses. */
  readonly free: number
  /** Another CPU's view of the machine, on this thread. */
  cpu(n: number): Kernel
  /**
   * Runs `program` of the fixture on `cpus` workers at once; rejects if one of them fails or all take longer than 30 s.
   */
  run(cpus: number, program: string, args: readonly number[]): Promise<CpuResult[]>
  /** Starts `program` on a worker that is CPU `n`; the promise is of its end. */
  start(n: number, program: string, args: readonly number[]): Promise<CpuResult>
  /** Resolves when CPU `n` waits for a word (not its start) to change. */
  waits(n: number): Promise<void>
}

export interface CpuResult {
  readonly stat: Float64Array
  readonly milliseconds: number
}

/** Links and boots a machine with the configuration `settings` (KEY=VALUE), for the test that runs. */
export async function lockMachine(...settings: string[]): Promise<LockMachine> {
  const config = parseConfig(['MEMORY=16M', 'NR_CPUS=16', ...settings])
  const chosen = chosenModules(config, root, join(root, 'test', 'locking', 'fixtures', 'scenario.ts'))
  const linked = link({
    entry: join(root, 'test', 'locking', 'fixtures', 'locks.ts'),
    resolver: {
      names: [...chosen.keys()],
      chosen: (specifier) => chosen.get(specifier),
      isMachine: (source) => source.path.endsWith('machine.ts'),
      read: (path) => ({
        path,
        id: relative(root, path),
        text: readFileSync(path, 'utf8'),
        patched: false,
      }),
    },
    constants: configConstants(config),
    isConfig: (source) => source.path === chosen.get('#config'),
    permissions: () => ({ atomics: true, memory: true, machine: true }),
  })
  const folder = mkdtempSync(join(tmpdir(), 'mmtorture-locking-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'locks.mjs')
  const { code } = linked.emit('locks.mjs', (source) => relative(dirname(file), source.path))
  writeFileSync(file, code.slice(0, code.lastIndexOf('//# sourceMappingURL')))

  const symbols = linked.symbols
  const buffer = new SharedArrayBuffer(4 * (symbols.MEMORY_WORDS + 4096))
  const memory = new Int32Array(buffer)
  memory[symbols.machine$nr_cpus] = config.NR_CPUS
  memory[symbols.machine$spin_budget] = 100
  memory[symbols.machine$spin_patience] = 100
  memory[symbols.machine$wait_timeout] = 4_000_000
  const boot = (await loadImage({ file })) as unknown as (env: object) => Kernel
  const stat = new Float64Array(symbols.STAT_WORDS)
  const cpu = (this_cpu: number): Kernel =>
    boot({
      memory,
      wasm: null,
      this_cpu,
      stat,
      oracle: new Int32Array(16),
      clock: () => performance.now() * 1e6,
      machine_bug: (kind: number, a: number, b: number) => {
        throw new Error(`BUG ${kind} ${a} ${b}`)
      },
    })
  const kernel = cpu(0)
  const free = (symbols.MEMORY_WORDS + 15) & ~15
  const gate = free + 4000
  const shared = { file: pathToFileURL(file).href, buffer, gate, statWords: symbols.STAT_WORDS }
  const worker = (n: number, program: string, args: readonly number[]): Worker =>
    new Worker(new URL('fixtures/worker.mjs', import.meta.url), {
      workerData: { ...shared, cpu: n, program, args },
    })
  return {
    kernel,
    memory,
    stat,
    symbols,
    free,
    cpu,
    async run(cpus, program, args) {
      memory[gate] = 0
      const workers = Array.from({ length: cpus }, (_, n) => worker(n, program, args))
      const ready = workers.map((one) => message(one))
      return ended(workers, program, async () => {
        await Promise.all(ready)
        const results = workers.map((one) => message(one) as Promise<CpuResult>)
        kernel.open_gate(gate)
        return Promise.all(results)
      })
    },
    async start(n, program, args) {
      memory[gate] = 1
      const one = worker(n, program, args)
      return ended([one], program, async () => {
        await message(one)
        return (await message(one)) as CpuResult
      })
    },
    async waits(n) {
      const at = symbols.PERCPU + n * symbols.PERCPU_WORDS + symbols.percpu$waiting_on
      const until = Date.now() + 20_000
      for (;;) {
        const word = Atomics.load(memory, at)
        if (word !== 0 && word !== gate) return
        if (Date.now() > until) throw new Error(`CPU ${n} does not wait`)
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
    },
  }
}

/** Awaits `work`, for at most 30 s, and ends the workers whatever comes of it. */
async function ended<T>(workers: readonly Worker[], program: string, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`a CPU hangs in ${program}`)), 30_000)
  })
  try {
    return await Promise.race([work(), late])
  } finally {
    clearTimeout(timer)
    await Promise.all(workers.map((one) => one.terminate()))
  }
}

function message(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}
