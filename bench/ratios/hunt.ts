// The speed of the hunt: against hand-written generators in the same process, by itself, on two workers, and of
// resetting and shrinking. The needle's executions and what the lost update shrinks to are no figures but tests:
// test/explore.
import { campaign } from '../../src/hunt/campaign.ts'
import { huntSamples } from '../hunt_samples.ts'
import { type Benchmark, type Effort, type Ratio, ratio } from '../ratio.ts'
import { interleave, median, medianRatio } from '../samples.ts'
import { SEED, STEP_LIMIT, steppedImage } from '../stepped.ts'

const COMMON = 'hunt of the common program against bare generators, no checks'
const COMMON_CHECKED = 'hunt of the common program against bare generators, all checks'
const EXECUTIONS = 'hunt of same-page, all checks: executions'
const STEPS = 'hunt of same-page, all checks: steps'
const WORKERS = 'hunt with two workers against one'
const RESET = 'resetting the machine against an execution of same-page'
const SHRINK = 'shrinking a violation of same-page'

/** Seconds of a campaign. */
const CAMPAIGN = 8
/** Executions a second of the bare generators on the quiet machine that the figures of same-page are for. */
const BARE = 1_180_000

const million = (rates: readonly number[] = []): string => `${(median(rates) / 1e6).toFixed(2)} million/s`

async function common({ rounds }: Effort): Promise<Ratio[]> {
  const results: Ratio[] = []
  for (const [name, measurement, target] of [
    [COMMON, 'common', 1],
    [COMMON_CHECKED, 'common-checked', 0.4],
  ] as const) {
    const { bare, executions } = await huntSamples(measurement, rounds)
    const detail = `executions: hunt ${million(executions)}, bare ${million(bare)}, of CPU time`
    results.push(ratio(name, medianRatio(executions, bare), 'at least', target, detail))
  }
  return results
}

async function samePage({ rounds }: Effort): Promise<Ratio[]> {
  const { bare, executions, steps } = await huntSamples('same-page', rounds)
  const scaled = (rates: readonly number[]): number => medianRatio(rates, bare) * BARE
  const detail = (measured: string): string =>
    `at the speed at which bare generators make ${BARE / 1e6} million/s; here ${measured} beside ` +
    `${million(bare)}, of CPU time`
  return [
    ratio(EXECUTIONS, scaled(executions), 'at least', 12_000, detail(median(executions).toFixed(0)), '/s'),
    ratio(STEPS, scaled(steps) / 1e6, 'at least', 3, detail(million(steps)), 'million/s'),
  ]
}

async function twoWorkers({ rounds }: Effort): Promise<Ratio[]> {
  const { image } = await steppedImage('scenarios/same-page.ts')
  const { file, symbols, sites, functions, declared } = image
  /** Executions a second of elapsed time, between the first report of progress and the last. */
  const rate = async (workers: number): Promise<number> => {
    const told: [executions: number, time: number][] = []
    await campaign({
      subject: {
        image: { file, symbols, sites, functions, declared },
        options: { cpus: 2, turns: 2, pages: 3, seed: SEED, stepLimit: STEP_LIMIT },
        off: [],
      },
      ...{ scheduler: 'portfolio', seed: SEED, workers, seconds: CAMPAIGN, sites: sites.length },
      progress: ({ executions }) => told.push([executions, performance.now()]),
    })
    // By then every worker has learned and is compiled.
    const [from, begin] = told[Math.floor(told.length / 3)]
    const [to, end] = told.at(-1)!
    return ((to - from) / (end - begin)) * 1000
  }
  const { one, two } = await interleave(Math.max(1, Math.round(rounds / 5)), 0, {
    one: () => rate(1),
    two: () => rate(2),
  })
  const detail =
    `executions a second of elapsed time: ${median(two).toFixed(0)} by ${median(one).toFixed(0)}; ` +
    'needs two idle cores'
  return [ratio(WORKERS, medianRatio(two, one), 'at least', 1.8, detail)]
}

async function reset({ rounds }: Effort): Promise<Ratio[]> {
  const { executions, resets } = await huntSamples('reset', rounds)
  const each = (times: readonly number[] = []): string => `${((median(times) / 1024) * 1000).toFixed(1)} us`
  const detail = `${each(resets)} by ${each(executions)}, no checks`
  return [ratio(RESET, medianRatio(resets, executions), 'at most', 0.1, detail)]
}

async function shrinking({ rounds }: Effort): Promise<Ratio[]> {
  const { shrunk, switches } = await huntSamples('shrinking', rounds)
  const detail = `CPU time, the longest of ${shrunk.length} seeds; ${switches.join(', ')} switches are left`
  return [ratio(SHRINK, Math.max(...shrunk), 'at most', 2, detail, 's')]
}

/** Five benchmarks of the hunt. */
export const hunts: readonly Benchmark[] = [
  { names: [COMMON, COMMON_CHECKED], run: common },
  { names: [EXECUTIONS, STEPS], run: samePage },
  { names: [WORKERS], run: twoWorkers },
  { names: [RESET], run: reset },
  { names: [SHRINK], run: shrinking },
]
