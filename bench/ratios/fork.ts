// fork of 64 MiB of written pages, by page: the model on one CPU against the real kernel.
import { symbol } from '../../src/inspect/symbols.ts'
import { benchImage } from '../images.ts'
import { type Benchmark, type Effort, type Ratio, ratio } from '../ratio.ts'
import { NO_COMPILER, realKernel } from '../real_kernel.ts'
import { interleave, median, medianRatio } from '../samples.ts'
import { bootUniprocessor } from '../uniprocessor.ts'

const JS = 'fork per mapped page, 64 MiB, against the real kernel'
const WASM = `${JS}, ATOMICS=wasm`

/**
 * A machine, warmed up; each call takes the ns of a fork by page, then lets the child exit and the parent write its
 * pages again.
 */
async function subject(warmup: number, ...settings: string[]): Promise<() => number> {
  const machine = await bootUniprocessor(await benchImage('fork_pages', ...settings))
  const pages = symbol(machine.image.symbols, 'FORK_PAGES')
  const sample = (): number => {
    const ns = machine.run()
    machine.run()
    machine.run()
    return ns / pages
  }
  for (let turn = 0; turn < warmup; turn++) sample()
  return sample
}

async function measure({ rounds, warmup }: Effort): Promise<Ratio[]> {
  const real = realKernel()
  const js = await subject(warmup)
  const wasm = await subject(warmup, 'ATOMICS=wasm')
  const samples = await interleave(rounds, 1, {
    js,
    wasm,
    real: () => real?.forkPerPage() ?? Number.NaN,
  })
  const { real: kernel } = samples
  return ([JS, WASM] as const).map((name) => {
    const model = name === JS ? samples.js : samples.wasm
    const detail = `${median(model).toFixed(1)} ns a page, real kernel ${median(kernel).toFixed(1)} ns`
    return ratio(name, medianRatio(model, kernel), 'at most', 1, real === undefined ? NO_COMPILER : detail)
  })
}

export const fork: Benchmark = { names: [JS, WASM], run: measure }
