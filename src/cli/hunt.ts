// `mmtorture hunt`: explores interleavings of a scenario until a check fails; then shrinks the violation, writes its replay file and
// prints the report. Leaves out the options' meaning (hunt_plan.ts) and the hunt itself (src/explore).
import { relative, resolve } from 'node:path'
import { campaign } from '../explore/campaign.ts'
import { record } from '../explore/record.ts'
import { formatReplay, makeReplay } from '../explore/replay_file.ts'
import type { HuntResult, HuntViolation } from '../explore/rounds.ts'
import { staysOf } from '../explore/segments.ts'
import { shrink, type Shrunk, type Sizes } from '../explore/shrink.ts'
import { type Configuration, configSettings, keyOf } from '../kbuild/config.ts'
import { packageRoot } from '../kbuild/root.ts'
import { retryNames } from '../measure/events.ts'
import { huntReport, type HuntReport, type ViolationReport, violationReport } from '../report/hunt_report.ts'
import { formatHunt, headingSettings } from '../report/hunt_text.ts'
import { formatHuntSweep, huntLabels, huntSweep } from '../report/hunt_sweep.ts'
import { type Told, tellViolation } from '../report/hunt_violation.ts'
import { count } from '../report/text.ts'
import { readFileSync } from 'node:fs'
import { shellQuote } from './arguments.ts'
import { allChecks } from './checks.ts'
import { UsageError } from './errors.ts'
import { type Built, buildHunt, explainThrown, guarded, makeSmaller } from './hunt_build.ts'
import {
  type HuntArguments,
  huntChanges,
  huntCommand,
  huntDefaults,
  type HuntPlan,
  planHunts,
} from './hunt_plan.ts'
import { checkWritable, DEFAULT_OUT, progress, writeReport, writeResult } from './output.ts'

/** Violations that are shrunk, of those that --keep-going collects. */
const SHRUNK = 8
/** Seconds between two lines of progress. */
const PROGRESS = 5

/** A hunt of one configuration: its document, and each violation as it was told. */
interface Hunted {
  readonly report: HuntReport
  readonly told: readonly (Told | undefined)[]
}

/**
 * Hunts and prints; returns the exit status: 0 held, 1 violated, 130 interrupted.
 * @param signal ends the hunt early; what is known is reported
 */
export async function huntCommandLine(
  names: readonly string[],
  options: HuntArguments,
  signal: AbortSignal,
): Promise<number> {
  const hunts = planHunts(names, options).flatMap((plan) => plan.configs.map((config) => ({ plan, config })))
  checkWritable('hunt', options)
  const labels = huntLabels(hunts.map(({ plan, config }) => ({ scenario: plan.label, config })))
  const hunted: Hunted[] = []
  for (const [index, { plan, config }] of hunts.entries()) {
    if (signal.aborted) break
    if (hunts.length > 1) progress(`${index + 1} of ${hunts.length}: ${labels[index]}`)
    hunted.push(await huntOne(plan, config, options, signal))
  }
  const reports = hunted.map(({ report }) => report)
  const interrupted =
    signal.aborted && (hunted.length < hunts.length || reports.some((row) => row.interrupted))
  const single = hunts.length === 1 ? hunted[0] : undefined
  const sweep = huntSweep(reports, interrupted)
  const document = `${JSON.stringify(single?.report ?? sweep, null, 2)}\n`
  const text =
    single === undefined
      ? formatHuntSweep(sweep)
      : formatHunt(single.report, single.told, settingsOf(single.report), options.verbose ?? false)
  await writeReport('hunt', { document, text }, options)
  if (interrupted) return 130
  return sweep.verdict === 'violated' ? 1 : 0
}

async function huntOne(
  plan: HuntPlan,
  config: Configuration,
  options: HuntArguments,
  signal: AbortSignal,
): Promise<Hunted> {
  const { cpus, operations, pages, seed, stepLimit, off } = plan
  const built = await buildHunt({
    config,
    scenario: plan.scenario.file,
    patches: plan.patches,
    seed,
    stepLimit,
    off,
  })
  const { image } = built
  const sizes: Sizes = { cpus, turns: operations, pages }
  // The scenario's setup runs here first: what it has wrong is said before any worker starts.
  const { setupSites } = guarded(image, cpus, () => built.make(sizes)).machine
  const result = await hunt(plan, options, built, sizes, signal)
  const violations: ViolationReport[] = []
  const told: (Told | undefined)[] = []
  for (const violation of result.violations) {
    guarded(image, cpus, () => refuseScenario(built, sizes, violation))
    const shown = guarded(image, cpus, () =>
      explain(plan, config, options, built, sizes, violation, violations.length, told),
    )
    violations.push(shown)
  }
  const { reverts, userPatches, workers } = plan
  const checks = allChecks()
    .filter((check) => check.when !== 'rest' || !off.includes(check.name))
    .map((check) => check.name)
  const about = {
    ...{ scenario: plan.label, config, reverts, sizes, workers },
    patches: userPatches.map((patch) => relative('', patch)),
    ...{ sites: image.sites, setupSites },
    retries: retriesOf(image.symbols, result.stat),
    checks: { on: checks.filter((check) => !off.includes(check)), off },
    notes: notesOf(config, options, cpus),
    keepGoing: options.keepGoing ?? false,
    command: huntCommand(plan, config, options),
  }
  return { report: huntReport(about, result, violations), told }
}

async function hunt(
  plan: HuntPlan,
  options: HuntArguments,
  { image }: Built,
  sizes: Sizes,
  signal: AbortSignal,
): Promise<HuntResult> {
  const { seed, stepLimit, workers, scheduler, seconds, off } = plan
  const { file, symbols, sites, functions } = image
  let told = performance.now()
  try {
    return await campaign({
      subject: { image: { file, symbols, sites, functions }, options: { ...sizes, seed, stepLimit }, off },
      ...{ seed, scheduler, workers, seconds, signal },
      sites: sites.length,
      ...(options.executions === undefined ? {} : { executions: options.executions }),
      ...(options.depth === undefined ? {} : { depth: options.depth }),
      ...(options.preemptions === undefined ? {} : { preemptions: options.preemptions }),
      ...(options.keepGoing === undefined ? {} : { keepGoing: options.keepGoing }),
      ...(options.determinismCheck === undefined ? {} : { checkDeterminism: options.determinismCheck }),
      progress(now) {
        if (performance.now() - told < PROGRESS * 1000) return
        told = performance.now()
        progress(
          `${count(now.executions)} executions, ${count(now.executionsPerSecond)}/s, ` +
            `${count(now.distinctSchedules)} distinct schedules, ${count(now.conflictPairs)} pairs of conflicting lines` +
            (now.violations.length > 0 ? `, ${now.violations.length} distinct violations` : ''),
        )
      },
    })
  } catch (error) {
    throw explainThrown(image, sizes.cpus, error)
  }
}

/** Shrinks one violation, writes its replay file, and tells it. */
function explain(
  plan: HuntPlan,
  config: Configuration,
  options: HuntArguments,
  built: Built,
  sizes: Sizes,
  violation: HuntViolation,
  index: number,
  told: (Told | undefined)[],
): ViolationReport {
  const { image } = built
  const subject = built.make(sizes)
  const shrunk =
    violation.reproduced && index < SHRUNK
      ? shrink(subject, violation.check, violation.schedule, violation.steps, {
          sizes,
          make: makeSmaller(built),
        })
      : undefined
  const reached = shrunk ?? { subject, sizes, schedule: violation.schedule, steps: violation.steps }
  const stays = staysOf(reached.schedule, reached.steps)
  const tale = tellViolation(reached.subject, image, stays, packageRoot())
  told.push(tale)
  const file = replayPath(plan, options, violation, index)
  const { execution, seconds } = violation
  const { seed } = plan
  const recording = record(reached.subject, reached.schedule, reached.steps)
  const command = `mmtorture replay ${shellQuote(relative('', file))}`
  if (tale !== undefined && recording.finding !== null) {
    let at = 0
    const replay = makeReplay(
      recording,
      {
        image: image.hash,
        scenario: plan.label,
        config: { ...config },
        reverts: [...plan.reverts],
        patches: plan.userPatches.map((path) => ({
          name: relative('', path),
          text: readFileSync(path, 'utf8'),
        })),
        sizes: reached.sizes,
        checks: allChecks()
          .map((check) => check.name)
          .filter((name) => !plan.off.includes(name)),
        ...{ seed, scheduler: plan.scheduler, execution },
      },
      // Named as they were taken, in their order.
      () => {
        const step = tale.steps[at++]
        return { function: step.function, file: step.file, line: step.line, object: step.object }
      },
    )
    writeResult(file, formatReplay(replay))
  }
  const pairs = pairsOf(reached.schedule)
  const about = {
    ...{ execution, count: violation.count, seconds: Math.round(seconds * 1e4) / 1e4, seed },
    ...{ schedule: pairs, replay: relative('', file), command },
    ...(shrunk === undefined ? {} : { shrunk: shrinkReport(shrunk) }),
  }
  const { check, message } = violation
  return tale === undefined
    ? {
        check,
        message,
        ...about,
        shrunk: undefined,
        interleaving: [],
        constraints: [],
        report: [`${check}: ${message}`],
        cpus: [],
      }
    : violationReport(tale, about, options.verbose ?? false)
}

function shrinkReport({ sizes, steps, switches, executions, proofs }: Shrunk): {
  sizes: { cpus: number; operations: number; pages: number }
  steps: number
  switches: number
  executions: number
  necessary: Shrunk['proofs']
} {
  const { cpus, turns, pages } = sizes
  return { sizes: { cpus, operations: turns, pages }, steps, switches, executions, necessary: proofs }
}

/** A scenario that says that it cannot go on is the user's to repair, not a violation. */
function refuseScenario(
  built: Built,
  sizes: Sizes,
  { check, message, schedule, steps }: HuntViolation,
): void {
  if (check !== 'scenario') return
  const told = tellViolation(built.make(sizes), built.image, staysOf(schedule, steps), packageRoot())
  throw new UsageError(`${told?.splat[0] ?? message}.`)
}

function replayPath(plan: HuntPlan, options: HuntArguments, violation: HuntViolation, index: number): string {
  const name = [
    plan.scenario.name,
    ...plan.reverts,
    violation.check.toLowerCase(),
    ...(index === 0 ? [] : [index + 1]),
  ]
  return resolve(options.out ?? DEFAULT_OUT, `${name.join('-').replaceAll(/[^\w-]+/g, '-')}.json`)
}

function pairsOf(schedule: readonly number[]): [number, number][] {
  const pairs: [number, number][] = []
  for (let i = 0; i < schedule.length; i += 2) pairs.push([schedule[i], schedule[i + 1]])
  return pairs
}

/** What the configuration is, unless it goes without saying. */
function settingsOf({ config, cpus }: HuntReport): string[] {
  return headingSettings(config, [
    ...huntDefaults(cpus).filter((setting) => configSettings(config).includes(setting)),
    ...huntChanges(config, cpus),
  ])
}

function notesOf(config: Configuration, options: HuntArguments, cpus: number): string[] {
  const own = new Set((options.config ?? []).map(keyOf))
  const changed = new Set(huntChanges(config, cpus).map(keyOf))
  const taken = huntDefaults(cpus).filter((setting) => {
    const [key] = setting.split('=')
    return !own.has(key) && !changed.has(key)
  })
  return taken.length === 0
    ? []
    : [
        `a hunt takes ${taken.join(', ')} unless --config says otherwise: the fewer words, the more schedules a second.`,
      ]
}

/** By function, `name` or `name:kind`: how often a recheck failed, where it did. */
function retriesOf(
  symbols: Readonly<Record<string, number>>,
  stat: readonly number[] | undefined,
): Record<string, number> {
  if (stat === undefined) return {}
  const failed = retryNames(symbols).filter(([, index]) => (stat[index] ?? 0) > 0)
  return Object.fromEntries(failed.map(([name, index]) => [name, stat[index]]))
}
