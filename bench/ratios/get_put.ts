// get_page and put_page in a linked image, asserts on, against a bare loop of the same two Atomics operations on the
// same array.
import { Bench } from 'tinybench'
import { symbol } from '../../src/inspect/symbols.ts'
import { benchImage } from '../images.ts'
import { type Benchmark, type Effort, type Ratio, ratio } from '../ratio.ts'
import { interleave, median, medianRatio } from '../samples.ts'
import { bootUniprocessor } from '../uniprocessor.ts'

const JS = 'get_page + put_page against bare Atomics'
const WASM = `${JS}, ATOMICS=wasm`
/** Milliseconds of a sample. */
const TIME = 60

/** Nanoseconds of a pair, by tinybench: the median over runs of `pairs` pairs. */
async function nanoseconds(pairs: number, loop: () => void): Promise<number> {
  const bench = new Bench({ time: TIME, warmup: false }).add('pair', loop)
  const [task] = await bench.run()
  if (!('latency' in task.result)) throw new Error('the loop did not run')
  return (task.result.latency.p50 * 1e6) / pairs
}

// Made anew for each array: a loop that has seen two of them is slower.
function bareLoop(memory: Int32Array, word: number, pairs: number): () => void {
  const source =
    `for (let i = 0; i < ${pairs}; i++) { Atomics.add(memory, ${word}, 1); Atomics.add(memory, ` +
    `${word}, -1) }`
  // oxlint-disable-next-line no-new-func, no-implied-eval
  return new Function('memory', `return () => { ${source} }`)(memory) as () => void
}

async function measure({ rounds }: Effort): Promise<Ratio[]> {
  const js = await bootUniprocessor(await benchImage('get_put'))
  const wasm = await bootUniprocessor(await benchImage('get_put', 'ATOMICS=wasm'))
  const pairs = symbol(js.image.symbols, 'PAIRS')
  const at = symbol(js.image.symbols, 'machine$scenario')
  const jsBare = bareLoop(js.memory, at, pairs)
  const wasmBare = bareLoop(wasm.memory, at, pairs)
  const samples = await interleave(rounds, 2, {
    bare: () => nanoseconds(pairs, jsBare),
    js: () => nanoseconds(pairs, js.run),
    bareOfWasm: () => nanoseconds(pairs, wasmBare),
    wasm: () => nanoseconds(pairs, wasm.run),
  })
  const { bare, bareOfWasm } = samples
  const detail = (kernel: number[], loop: number[]): string =>
    `${median(kernel).toFixed(1)} ns a pair, bare loop ${median(loop).toFixed(1)} ns`
  return [
    ratio(JS, medianRatio(bare, samples.js), 'at least', 0.8, detail(samples.js, bare)),
    ratio(WASM, medianRatio(bareOfWasm, samples.wasm), 'at least', 1, detail(samples.wasm, bareOfWasm)),
  ]
}

export const getPut: Benchmark = { names: [JS, WASM], run: measure }
