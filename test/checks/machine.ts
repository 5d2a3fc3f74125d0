// A machine for tests of checks: an image booted in this thread, as CPU 0, and its memory.
import { fileURLToPath } from 'node:url'
import {
  type Configuration,
  defaultConfig,
  type KernelImage,
  kbuild,
  loadImage,
} from '../../src/kbuild/index.ts'
import type { KernelSymbols, MachineView } from '../../src/inspect/symbols.ts'

/** What machine_bug() throws here. */
export class Bug extends Error {
  readonly kind: number
  readonly a: number

  constructor(kind: number, a: number) {
    super(`BUG of kind ${kind} (${a})`)
    this.kind = kind
    this.a = a
  }
}

export interface TestMachine extends MachineView {
  readonly s: KernelSymbols & Record<string, number>
  readonly oracle: Int32Array
  readonly kernel: ReturnType<Awaited<ReturnType<typeof loadImage>>>
}

/** Builds the image of a scenario in fixtures/. */
export async function buildFixture(name: string, config: Partial<Configuration> = {}): Promise<KernelImage> {
  const scenario = fileURLToPath(new URL(`fixtures/${name}.ts`, import.meta.url))
  return kbuild({ ...defaultConfig(), NR_CPUS: 4, MEMORY: '16M', ...config }, { scenario })
}

/** Boots it and runs its setup; `argument` is what the scenario finds at BOOT_DATA. */
export async function bootFixture(image: KernelImage, argument = 0): Promise<TestMachine> {
  const machine = await startFixture(image, argument)
  const error = machine.kernel.scenario_setup()
  if (error !== 0) throw new Error(`scenario_setup returned ${error}`)
  return machine
}

/** Boots it up to scenario_setup. */
export async function startFixture(image: KernelImage, argument = 0): Promise<TestMachine> {
  const s = image.symbols as TestMachine['s']
  const memory = new Int32Array(new SharedArrayBuffer(4 * s.MEMORY_WORDS))
  const oracle = new Int32Array(new SharedArrayBuffer(4 * (s.ORACLE_WORDS ?? 16)))
  memory[s.machine$nr_cpus] = 1
  memory[s.machine$spin_budget] = 100
  memory[s.machine$seed] = 1
  memory[s.BOOT_DATA] = argument
  const boot = await loadImage(image)
  const kernel = boot({
    memory,
    wasm: null,
    this_cpu: 0,
    stat: new Float64Array(s.STAT_WORDS),
    oracle,
    clock: () => performance.now() * 1e6,
    machine_bug(kind, a) {
      throw new Bug(kind, a)
    },
  })
  kernel.start_kernel()
  return { memory, symbols: image.symbols, s, oracle, kernel }
}
