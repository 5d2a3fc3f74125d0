// Swap: how many pages swap-storm moves in and out on two CPUs, whose devices take no time, and what hunts of swap's
// scenarios are beside one of same-page.
import { SmpMachine } from '../../src/machine/smp/machine.ts'
import { symbol } from '../../src/inspect/symbols.ts'
import { BESIDE_SAME_PAGE, huntSamples } from '../hunt_samples.ts'
import { scenarioImage } from '../images.ts'
import { type Benchmark, type Effort, type Ratio, ratio } from '../ratio.ts'
import { median, medianRatio } from '../samples.ts'

const STORM = 'swap-storm, 2 CPUs: pages swapped in and out'
const nameOf = (scenario: string): string => `hunt of ${scenario} against same-page, all checks: steps`

const CPUS = 2
/** Milliseconds before the first sample: the code of swap is compiled later than that of a fault. */
const WARMUP = 3000

async function storm({ rounds, window }: Effort): Promise<Ratio[]> {
  const image = await scenarioImage('swap-storm')
  const machine = await SmpMachine.boot(image, { cpus: CPUS, seed: 1, cores: CPUS })
  const events = ['PSWPIN', 'PSWPOUT'].map((name) => symbol(image.symbols, name))
  const moved = (): number => machine.stats.reduce((sum, stat) => sum + stat[events[0]] + stat[events[1]], 0)
  const rates: number[] = []
  try {
    await machine.run(WARMUP)
    for (let round = 0; round < rounds; round++) {
      const before = moved()
      const { seconds } = await machine.run(window)
      rates.push((moved() - before) / seconds / 1e6)
    }
  } finally {
    await machine.shutdown()
  }
  const detail = 'million/s of elapsed time; needs two idle cores'
  return [ratio(STORM, median(rates), 'at least', 0.2, detail, 'million/s')]
}

const hunted = (scenario: string): Benchmark => ({
  names: [nameOf(scenario)],
  async run({ rounds }) {
    const samples = await huntSamples(scenario, rounds)
    const rate = (name: string): string => `${(median(samples[name]) / 1e6).toFixed(2)} million/s`
    const detail = `${rate(scenario)} by ${rate('same-page')}, of CPU time`
    const figure = medianRatio(samples[scenario], samples['same-page'])
    return [ratio(nameOf(scenario), figure, 'at least', 0.5, detail)]
  },
})

/** A benchmark of swap on real threads, and of the hunt of each scenario. */
export const swaps: readonly Benchmark[] = [{ names: [STORM], run: storm }, ...BESIDE_SAME_PAGE.map(hunted)]
