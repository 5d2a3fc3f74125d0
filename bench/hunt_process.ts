// A process of its own for each measurement of the hunt: node hunt_process.js MEASUREMENT ROUNDS; prints one JSON
// document. V8 compiles the machine for what one process does with it, as in a hunt; machines that others have used
// before are slower. Leaves out targets.
import type { Explorer } from '../src/explore/explorer.ts'
import { hunt } from '../src/explore/hunt.ts'
import { ExecutionRandom } from '../src/step/random.ts'
import { SCHEDULERS } from '../src/explore/schedulers/index.ts'
import { RandomScheduler } from '../src/explore/schedulers/random.ts'
import { shrink } from '../src/explore/shrink.ts'
import { bareGenerators } from './bare_generators.ts'
import { BESIDE_SAME_PAGE, type HuntSamples } from './hunt_samples.ts'
import { interleave } from './samples.ts'
import { learned, SEED, steppedImage } from './stepped.ts'

/** Executions of a sample: of bare generators, of the common program, of same-page. */
const BARE = 50_000
const COMMON = 32_768
const SAME_PAGE = 1024
const WARMUP = 4
const SMALL = { cpus: 2, operations: 2, pages: 3 }

/** CPU time of `action` in seconds: what else runs on this machine falls out of it. */
function seconds(action: () => void): number {
  const before = process.cpuUsage()
  action()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

/** Executions a second of the bare generators, one sample a call. */
function bareSampler(): () => number {
  const execute = bareGenerators()
  return () =>
    BARE /
    seconds(() => {
      for (let i = 0; i < BARE; i++) if (!execute()) throw new Error('the bare generators lose updates')
    })
}

/** A hunt of `scenario` beside the bare generators: executions and steps a second. */
async function huntBeside(
  scenario: string,
  patches: readonly string[],
  scheduler: string,
  { checks, count, rounds }: { readonly checks: boolean; readonly count: number; readonly rounds: number },
): Promise<HuntSamples> {
  const { image, make } = await steppedImage(scenario, ...patches)
  const explorer = learned(make(SMALL, checks), image.sites.length, scheduler)
  const steps: number[] = []
  const next = slices(explorer, count)
  const { bare, executions } = await interleave(rounds, WARMUP, {
    bare: bareSampler(),
    executions: () => {
      const { taken, time } = next()
      steps.push(taken / time)
      return count / time
    },
  })
  return { bare, executions, steps: steps.slice(WARMUP) }
}

/**
 * Each call explores the next `count` executions, none of which may violate anything: the steps they took, and the CPU
 * time in seconds.
 */
function slices(explorer: Explorer, count: number): () => { taken: number; time: number } {
  let from = 0
  return () => {
    let taken = 0
    const time = seconds(() => {
      const slice = explorer.explore(from, from + count)
      const [violation] = slice.violations
      if (violation !== undefined) throw new Error(violation.message)
      taken = slice.steps
    })
    from += count
    return { taken, time }
  }
}

/** Steps a second of hunts of `scenario` and of same-page in turn, with all checks. */
async function besideSamePage(scenario: string, rounds: number): Promise<HuntSamples> {
  const sampler = async (name: string): Promise<() => number> => {
    const { image, make } = await steppedImage(`scenarios/${name}.ts`)
    const explorer = learned(make(SMALL, true), image.sites.length)
    const next = slices(explorer, SAME_PAGE)
    return () => {
      const { taken, time } = next()
      return taken / time
    }
  }
  return interleave(rounds, WARMUP, {
    [scenario]: await sampler(scenario),
    'same-page': await sampler('same-page'),
  })
}

const commonProgram = (checks: boolean, rounds: number): Promise<HuntSamples> =>
  huntBeside('bench/kernel/common.ts', ['bench/kernel/common.patch'], 'random', {
    ...{ checks, count: COMMON, rounds },
  })

/** Undoing an execution of same-page against the execution itself, in ms of a sample. */
async function reset(rounds: number): Promise<HuntSamples> {
  const { image, make } = await steppedImage('scenarios/same-page.ts')
  const { subject } = learned(make(SMALL, false), image.sites.length)
  const { machine } = subject
  machine.observe([])
  const scheduler = new RandomScheduler()
  const random = new ExecutionRandom()
  const executions: number[] = []
  const resets: number[] = []
  for (let round = -WARMUP, i = 0; round < rounds; round++) {
    let run = 0
    let undo = 0
    for (const end = i + SAME_PAGE; i < end; i++) {
      const begin = performance.now()
      const { kind } = machine.run(scheduler, i, random.restart(SEED, i))
      const middle = performance.now()
      machine.reset()
      undo += performance.now() - middle
      run += middle - begin
      if (kind !== 'held') throw new Error('same-page does not hold')
    }
    if (round < 0) continue
    executions.push(run)
    resets.push(undo)
  }
  return { executions, resets }
}

/** Shrinking a violation of same-page: CPU seconds, one a seed. */
async function shrinking(rounds: number): Promise<HuntSamples> {
  const revert = 'reverts/no-recheck-do-anonymous-page-write/revert.patch'
  const { image, make } = await steppedImage('scenarios/same-page.ts', revert)
  const scheduler = SCHEDULERS.find(({ name }) => name === 'portfolio')!
  const shrunk: number[] = []
  const switches: number[] = []
  for (let seed = 1; seed <= Math.min(rounds, 5); seed++) {
    const subject = make(SMALL, true)
    const options = { seed, scheduler, sites: image.sites.length, executions: 20_000 }
    const [violation] = hunt(subject, options).violations
    if (violation === undefined) throw new Error('the revert was not found')
    const { check } = violation
    const before = process.cpuUsage()
    const result = await shrink(make(SMALL, true), check, violation, {
      ...{ sizes: SMALL, make: (sizes) => make(sizes, true) },
    })
    const { user, system } = process.cpuUsage(before)
    if (result === undefined) throw new Error('the violation did not come again')
    shrunk.push((user + system) / 1e6)
    switches.push(result.switches)
  }
  return { shrunk, switches }
}

const MEASUREMENTS: Readonly<Record<string, (rounds: number) => Promise<HuntSamples>>> = {
  common: (rounds) => commonProgram(false, rounds),
  'common-checked': (rounds) => commonProgram(true, rounds),
  'same-page': (rounds) =>
    huntBeside('scenarios/same-page.ts', [], 'portfolio', { checks: true, count: SAME_PAGE, rounds }),
  ...Object.fromEntries(
    BESIDE_SAME_PAGE.map((scenario) => [scenario, (rounds: number) => besideSamePage(scenario, rounds)]),
  ),
  reset,
  shrinking,
}

const [, , name, rounds] = process.argv
process.stdout.write(JSON.stringify(await MEASUREMENTS[name](Number(rounds))))
