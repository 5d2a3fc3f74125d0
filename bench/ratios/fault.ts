// Anonymous write faults, the full path from the user's store on: on one CPU against the real kernel on one thread, and on two CPUs with
// page tables of their own against one.
import { SmpMachine } from '../../src/machine/smp/machine.ts'
import { symbol } from '../../src/measure/symbols.ts'
import { benchImage } from '../images.ts'
import { type Benchmark, type Effort, type Ratio, ratio } from '../ratio.ts'
import { NO_COMPILER, realKernel } from '../real_kernel.ts'
import { interleave, median, medianRatio } from '../samples.ts'

const ONE = 'anonymous write faults, 1 CPU, against the real kernel'
const ONE_WASM = `${ONE}, ATOMICS=wasm`
const TWO = 'disjoint faults, PTLOCK=pte, 2 CPUs against 1'
const TWO_REAL = 'disjoint faults, PTLOCK=pte, 2 CPUs against 1 thread of the real kernel'

/** Faults a second of one turn in which every CPU faults in its part; then a turn that discards. */
async function faultsPerSecond(machine: SmpMachine, pages: number): Promise<number> {
  const { seconds } = await machine.run(Infinity)
  await machine.run(Infinity)
  return (pages * machine.cpus) / seconds
}

interface Subject {
  readonly machine: SmpMachine
  sample(): Promise<number>
}

async function boot(cpus: number, warmup: number, ...settings: string[]): Promise<Subject> {
  const image = await benchImage('anon_fault', ...settings)
  const pages = symbol(image.symbols, 'FAULT_PAGES')
  const machine = await SmpMachine.boot(image, { cpus, seed: 1, cores: 2 })
  const sample = (): Promise<number> => faultsPerSecond(machine, pages)
  for (let turn = 0; turn < warmup; turn++) await sample()
  return { machine, sample }
}

async function measure({ rounds, warmup }: Effort): Promise<Ratio[]> {
  const real = realKernel()
  const js = await boot(1, warmup)
  const wasm = await boot(1, warmup, 'ATOMICS=wasm')
  const one = await boot(1, warmup, 'PTLOCK=pte')
  const two = await boot(2, warmup, 'PTLOCK=pte')
  try {
    const samples = await interleave(rounds, 1, {
      js: js.sample,
      wasm: wasm.sample,
      one: one.sample,
      two: two.sample,
      real: () => real?.faultsPerSecond(1) ?? Number.NaN,
    })
    const against = (left: number[], right: number[], other: string): string =>
      real === undefined && right === samples.real
        ? NO_COMPILER
        : `${rate(left)} faults/s (${(1e9 / median(left)).toFixed(0)} ns), ${other} ${rate(right)}`
    const { real: kernel } = samples
    return [
      ratio(ONE, medianRatio(samples.js, kernel), 'at least', 6, against(samples.js, kernel, 'real kernel')),
      ratio(
        ONE_WASM,
        medianRatio(samples.wasm, kernel),
        'at least',
        6,
        against(samples.wasm, kernel, 'real kernel'),
      ),
      ratio(
        TWO,
        medianRatio(samples.two, samples.one),
        'at least',
        1.5,
        against(samples.two, samples.one, '1 CPU'),
      ),
      ratio(
        TWO_REAL,
        medianRatio(samples.two, kernel),
        'at least',
        7,
        against(samples.two, kernel, 'real kernel'),
      ),
    ]
  } finally {
    await Promise.all([js, wasm, one, two].map(({ machine }) => machine.shutdown()))
  }
}

function rate(samples: readonly number[]): string {
  return `${(median(samples) / 1e6).toFixed(2)} M`
}

export const fault: Benchmark = { names: [ONE, ONE_WASM, TWO, TWO_REAL], run: measure }
