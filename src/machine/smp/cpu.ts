// One CPU of the smp machine, in its worker thread: boots the image, runs it, and turns whatever it throws into data.
// Leaves out the thread and comlink: workers/cpu.ts.
import { pathToFileURL } from 'node:url'
import type { BootEnvironment } from '../../kernel/arch/machine.ts'
import {
  CONTROL_ABORT,
  CONTROL_ARRIVED,
  CONTROL_EXPECTED,
  CONTROL_WINDOW,
  type CpuApi,
  type CpuOutcome,
  type CpuSetup,
  type KernelBugArguments,
} from './protocol.ts'
import { wasmAtomics } from './wasm_atomics.ts'
import type { WasmMemory } from './wasm_module.ts'

/** What the machine calls of an image. */
interface Kernel {
  start_kernel(): void
  scenario_setup(): number
  cpu_run(): void
  exit_all_tasks(): void
}

/** What machine_bug throws: it unwinds this CPU's kernel stack. */
class KernelBug extends Error {
  readonly bug: KernelBugArguments

  constructor(bug: KernelBugArguments) {
    super(`BUG ${bug.kind}`)
    this.bug = bug
  }
}

/** The CPU that `setup` describes. */
export function cpuApi(setup: CpuSetup): CpuApi {
  const { cpu, panic, wake } = setup
  const isWasm = !(setup.memory instanceof SharedArrayBuffer)
  const buffer = isWasm ? (setup.memory as WasmMemory).buffer : (setup.memory as SharedArrayBuffer)
  const memory = new Int32Array(buffer, 0, setup.words)
  const control = new Int32Array(setup.control)
  let kernel: Kernel | undefined

  function stopMachine(): void {
    if (Atomics.compareExchange(memory, panic, 0, 1) !== 0) return
    for (const word of wake) {
      Atomics.add(memory, word, 1)
      Atomics.notify(memory, word)
    }
  }

  function enter(call: (kernel: Kernel) => number | void): CpuOutcome {
    const begin = milliseconds()
    try {
      if (kernel === undefined) throw new Error(`CPU ${cpu} was not booted`)
      const value = call(kernel) ?? 0
      return { kind: 'done', value, begin, end: milliseconds() }
    } catch (error) {
      return outcomeOf(error)
    }
  }

  function outcomeOf(error: unknown): CpuOutcome {
    stopMachine()
    if (error instanceof KernelBug) {
      const stack = error.stack ?? ''
      return error.bug.kind === setup.bugStopped
        ? { kind: 'stopped', stack }
        : { kind: 'bug', bug: error.bug, stack }
    }
    const { message, stack } = error instanceof Error ? error : new Error(String(error))
    return { kind: 'exception', message, stack: stack ?? '' }
  }

  return {
    async boot() {
      const begin = milliseconds()
      try {
        const image = (await import(pathToFileURL(setup.image).href)) as {
          boot(env: BootEnvironment): Kernel
        }
        const now = performance.now.bind(performance)
        kernel = image.boot({
          memory,
          wasm: isWasm ? wasmAtomics(setup.memory as WasmMemory) : null,
          this_cpu: cpu,
          stat: new Float64Array(setup.stat, cpu * setup.statStride * 8, setup.statWords),
          oracle: new Int32Array(setup.oracle),
          clock: () => now() * 1e6,
          machine_bug: (kind, a, b) => {
            throw new KernelBug({ kind, a, b })
          },
        })
        return { kind: 'done', value: 0, begin, end: milliseconds() }
      } catch (error) {
        return outcomeOf(error)
      }
    },

    setup: () =>
      enter((kernel) => {
        kernel.start_kernel()
        return kernel.scenario_setup()
      }),

    run: (window) =>
      enter((kernel) => {
        if (passBarrier(control, window)) kernel.cpu_run()
      }),

    exitAllTasks: () => enter((kernel) => kernel.exit_all_tasks()),
  }
}

/** Waits until every CPU has come to the barrier of `window`; false if it will not open. */
function passBarrier(control: Int32Array, window: number): boolean {
  if (Atomics.add(control, CONTROL_ARRIVED, 1) + 1 === Atomics.load(control, CONTROL_EXPECTED)) {
    Atomics.compareExchange(control, CONTROL_WINDOW, window - 1, window)
    Atomics.notify(control, CONTROL_WINDOW)
  }
  for (;;) {
    const open = Atomics.load(control, CONTROL_WINDOW)
    if (open === window) return true
    if (open === CONTROL_ABORT) return false
    Atomics.wait(control, CONTROL_WINDOW, open)
  }
}

/** The host's monotonic clock in milliseconds; the same in every thread of the process. */
function milliseconds(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
