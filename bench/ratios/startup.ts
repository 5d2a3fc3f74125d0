// What a user waits for, and memory: booting 8 CPUs, `mmtorture list`, and the memory of the host that 1 GiB
// of modelled memory takes. Its buffer is larger: it has room for a page table in every frame, of which the host gives
// what is used.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packageRoot } from '../../src/base/root.ts'
import { SmpMachine } from '../../src/machine/smp/machine.ts'
import { symbol } from '../../src/inspect/symbols.ts'
import { scenarioImage } from '../images.ts'
import { type Benchmark, ratio } from '../ratio.ts'
import { interleave, median } from '../samples.ts'

const BOOT = '8 CPUs boot'
const LIST = 'mmtorture list'
const MEMORY = 'host memory of 1 GiB of modelled memory'
const CPUS = 8

/** Milliseconds until the CPUs of the default image run, its scenario set up. */
async function bootTime(): Promise<number> {
  const image = await scenarioImage('fork-storm')
  const begin = performance.now()
  const machine = await SmpMachine.boot(image, { cpus: CPUS, seed: 1, cores: 2 })
  const time = performance.now() - begin
  await machine.shutdown()
  return time
}

async function listTime(): Promise<number> {
  const main = join(packageRoot(), 'dist', 'src', 'cli', 'main.js')
  const begin = performance.now()
  await promisify(execFile)(process.execPath, [main, 'list'])
  return performance.now() - begin
}

const spread = (samples: readonly number[]): string =>
  `${Math.min(...samples).toFixed(0)} to ${Math.max(...samples).toFixed(0)} ms in ${samples.length} runs`

export const boot: Benchmark = {
  names: [BOOT],
  async run({ rounds }) {
    const { time } = await interleave(Math.ceil(rounds / 2), 1, { time: bootTime })
    return [ratio(BOOT, median(time), 'at most', 1000, spread(time), 'ms')]
  },
}

export const list: Benchmark = {
  names: [LIST],
  async run({ rounds }) {
    const { time } = await interleave(Math.ceil(rounds / 2), 1, { time: listTime })
    return [ratio(LIST, median(time), 'at most', 300, spread(time), 'ms')]
  },
}

export const memory: Benchmark = {
  names: [MEMORY],
  async run() {
    const image = await scenarioImage('fork-storm', 'MEMORY=1G')
    const before = process.memoryUsage.rss()
    const machine = await SmpMachine.boot(image, { cpus: 1, seed: 1, cores: 1 })
    const taken = process.memoryUsage.rss() - before
    await machine.shutdown()
    const buffer = (symbol(image.symbols, 'MEMORY_WORDS') * 4) / 2 ** 20
    const detail = `PAGE_BYTES=${symbol(image.symbols, 'PAGE_BYTES')}, buffer ${buffer.toFixed(0)} MiB, with a worker`
    return [ratio(MEMORY, taken / 2 ** 20, 'at most', 64, detail, 'MiB')]
  },
}
