// A machine of one CPU in this very thread, measured by CPU time: what else runs on the host falls out of it. Leaves
// out failures (an exception of the kernel is the benchmark's), workers, and everything with more CPUs:
// src/machine/smp.
import { setFlagsFromString } from 'node:v8'
import { type KernelImage, loadImage } from '../src/kbuild/index.ts'
import { symbol } from '../src/inspect/symbols.ts'
import { V8_FLAGS } from '../src/machine/smp/worker.ts'
import { wasmAtomics } from '../src/machine/smp/wasm_atomics.ts'
import { wasmMemory } from '../src/machine/smp/wasm_module.ts'

/** A booted machine whose scenario is set up. */
export interface Uniprocessor {
  readonly image: KernelImage
  readonly memory: Int32Array
  /** Runs tasks until the scenario stops the machine; returns the CPU time of this process in ns, exact to 1,000. */
  run(): number
}

const SPIN_BUDGET = 2000

/** Boots `image` on CPU 0 of a machine of its own. */
export async function bootUniprocessor(image: KernelImage): Promise<Uniprocessor> {
  for (const flag of V8_FLAGS) setFlagsFromString(flag)
  const { symbols } = image
  const bytes = symbol(symbols, 'MEMORY_WORDS') * 4
  const shared = image.config.ATOMICS === 'wasm' ? wasmMemory(bytes) : undefined
  const memory = new Int32Array(shared?.buffer ?? new SharedArrayBuffer(bytes), 0, bytes >> 2)
  const now = performance.now.bind(performance)
  const boot = await loadImage(image)
  const kernel = boot({
    memory,
    wasm: shared === undefined ? null : wasmAtomics(shared),
    this_cpu: 0,
    stat: new Float64Array(symbol(symbols, 'STAT_WORDS')),
    oracle: new Int32Array(new SharedArrayBuffer(symbol(symbols, 'ORACLE_WORDS') * 4)),
    clock: () => now() * 1e6,
    machine_bug(kind, a, b) {
      throw new Error(`kernel BUG ${kind} (${a}, ${b})`)
    },
  })
  const stop = symbol(symbols, 'machine$stop')
  memory[symbol(symbols, 'machine$nr_cpus')] = 1
  memory[symbol(symbols, 'machine$spin_budget')] = SPIN_BUDGET
  memory[symbol(symbols, 'machine$seed')] = 1
  kernel.start_kernel()
  const errno = kernel.scenario_setup()
  if (errno < 0) throw new Error(`${image.scenario}: setup failed with errno ${-errno}`)
  return {
    image,
    memory,
    run() {
      memory[stop] = 0
      const before = process.cpuUsage()
      kernel.cpu_run()
      const { user, system } = process.cpuUsage(before)
      return (user + system) * 1000
    },
  }
}
