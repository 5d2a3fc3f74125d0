// Anonymous write faults, the full path from the user's store on: on one CPU against the real kernel on one thread, by
// CPU time, and on two CPUs with page tables of their own against one, by elapsed time.
import { SmpMachine } from '../../src/machine/smp/machine.ts'
import { symbol } from '../../src/inspect/symbols.ts'
import { benchImage } from '../images.ts'
import { type Benchmark, type Effort, type Ratio, ratio } from '../ratio.ts'
import { NO_COMPILER, realKernel } from '../real_kernel.ts'
import { interleave, median, medianRatio } from '../samples.ts'
import { bootUniprocessor } from '../uniprocessor.ts'

const JS = 'anonymous write faults, 1 CPU, against the real kernel'
const WASM = `${JS}, ATOMICS=wasm`
const TWO = 'disjoint faults, PTLOCK=pte, 2 CPUs against 1'
const TWO_REAL = 'disjoint faults, PTLOCK=pte, 2 CPUs against 1 thread of the real kernel'

/** A machine of one CPU, warmed up; each call takes its faults a second of one turn, then discards the pages. */
async function uniprocessor(warmup: number, ...settings: string[]): Promise<() => number> {
  const machine = await bootUniprocessor(await benchImage('anon_fault', ...settings))
  const pages = symbol(machine.image.symbols, 'FAULT_PAGES')
  const sample = (): number => {
    const ns = machine.run()
    machine.run()
    return (pages * 1e9) / ns
  }
  for (let turn = 0; turn < warmup; turn++) sample()
  return sample
}

interface Multiprocessor {
  readonly machine: SmpMachine
  /** Faults a second of one turn in which every CPU faults in its part; then a turn discards them. */
  sample(): Promise<number>
}

async function multiprocessor(cpus: number, warmup: number): Promise<Multiprocessor> {
  const image = await benchImage('anon_fault', 'PTLOCK=pte')
  const pages = symbol(image.symbols, 'FAULT_PAGES')
  const machine = await SmpMachine.boot(image, { cpus, seed: 1, cores: 2 })
  const sample = async (): Promise<number> => {
    const { seconds } = await machine.run(Infinity)
    await machine.run(Infinity)
    return (pages * cpus) / seconds
  }
  for (let turn = 0; turn < warmup; turn++) await sample()
  return { machine, sample }
}

/** `5.10 M faults/s (196 ns)`. */
function rate(samples: readonly number[]): string {
  return `${(median(samples) / 1e6).toFixed(2)} M faults/s (${(1e9 / median(samples)).toFixed(0)} ns)`
}

function compare(
  name: string,
  model: readonly number[],
  other: readonly number[],
  target: number,
  what: string,
): Ratio {
  const figure = medianRatio(model, other)
  const detail = Number.isNaN(figure) ? NO_COMPILER : `${rate(model)}, ${what} ${rate(other)}`
  return ratio(name, figure, 'at least', target, detail)
}

async function measureOne({ rounds, warmup }: Effort): Promise<Ratio[]> {
  const kernel = realKernel()
  const { js, wasm, real } = await interleave(rounds, 1, {
    js: await uniprocessor(warmup),
    wasm: await uniprocessor(warmup, 'ATOMICS=wasm'),
    real: async () => (await kernel?.faultsPerSecond())?.cpu ?? Number.NaN,
  })
  return [compare(JS, js, real, 6, 'real kernel'), compare(WASM, wasm, real, 6, 'real kernel')]
}

async function measureTwo({ rounds, warmup }: Effort): Promise<Ratio[]> {
  const kernel = realKernel()
  const uni = await multiprocessor(1, warmup)
  const dual = await multiprocessor(2, warmup)
  try {
    const { one, two, real } = await interleave(rounds, 1, {
      one: uni.sample,
      two: dual.sample,
      real: async () => (await kernel?.faultsPerSecond())?.elapsed ?? Number.NaN,
    })
    return [compare(TWO, two, one, 1.5, '1 CPU'), compare(TWO_REAL, two, real, 7, 'real kernel')]
  } finally {
    await Promise.all([uni.machine.shutdown(), dual.machine.shutdown()])
  }
}

export const fault: Benchmark = { names: [JS, WASM], run: measureOne }
export const disjoint: Benchmark = { names: [TWO, TWO_REAL], run: measureTwo }
