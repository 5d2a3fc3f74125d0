// Explores interleavings of a scenario until a check fails; then shrinks the violation, writes its replay file and
// makes the document. Leaves out the options' meaning (plan.ts), the exploring itself (src/explore) and the document's
// text (src/report).
import { relative, resolve } from 'node:path'
import { campaign } from './campaign.ts'
import { formatReplay, makeReplay, type ReplayFile } from '../explore/replay_file.ts'
import type { HuntResult, HuntViolation } from '../explore/rounds.ts'
import { placesOfPair } from '../explore/coverage.ts'
import type { Site } from '../step/site.ts'
import { courseOf } from '../explore/course.ts'
import { shrink, type Shrunk, type Sizes } from '../explore/shrink.ts'
import { type Configuration, keyOf } from '../kbuild/config.ts'
import { packageRoot } from '../base/root.ts'
import { retryNames } from '../inspect/events.ts'
import {
  type HuntedForm,
  huntReport,
  type HuntReport,
  type ViolationReport,
  violationReport,
} from './report.ts'
import { type HuntSweep, huntSweep } from './sweep.ts'
import { baselineOf, rowLabels } from '../kbuild/labels.ts'
import { type Description, describeViolation } from './violation.ts'
import { count } from '../base/text.ts'
import { readFileSync } from 'node:fs'
import { shellQuote } from '../base/shell.ts'
import { allChecks } from '../catalog/checks.ts'
import { UsageError } from '../base/errors.ts'
import { patchNames } from '../catalog/kernel_choice.ts'
import { type Built, buildPlan, makeSmaller, steppedOptions } from './build.ts'
import { explainThrown, guarded } from '../machine/explain.ts'
import { type HuntChoices, huntChanges, huntCommand, huntDefaults, type HuntPlan } from './plan.ts'
import type { Conduct } from '../base/conduct.ts'
import { writeResult } from '../base/output.ts'
import { checkNames, notReached, unmet } from './expectations.ts'
import { freeName } from './free_name.ts'

/** Violations that are shrunk, of those that --keep-going collects. */
const SHRUNK = 8
/** Seconds between two lines of progress. */
const PROGRESS = 5

/** A hunt of one configuration: its document, the description of each violation, and what replays it. */
export interface Hunted {
  readonly report: HuntReport
  readonly descriptions: readonly (Description | undefined)[]
  /** Of each violation that is reproduced, as a replay file has it. */
  readonly replays: readonly ReplayFile[]
  /** Why replay files are missing. */
  readonly unwritten: readonly UsageError[]
  readonly places: HuntedPlaces
}

/** Where the hunt of a scenario's first form has been, as indices into the sites of its image. */
export interface HuntedPlaces {
  readonly sites: readonly Site[]
  /** That took a step in executions, and in setup. */
  readonly reached: readonly number[]
  readonly setup: readonly number[]
  /** That two CPUs met at, one of them writing. */
  readonly pairs: readonly (readonly [before: number, after: number])[]
}

/** What a hunt is as data: its report and, for replay(), its violations. */
export interface HuntDocument extends HuntReport {
  readonly replays: readonly ReplayFile[]
}

/** The hunts of several plans, each with all its configurations. */
export interface Hunts {
  readonly hunted: readonly Hunted[]
  /** One row each. */
  readonly sweep: HuntSweep
}

/**
 * Hunts every configuration of every plan, one after the other. Throws UsageError for what is wrong in the user's
 * scenario, patches, designs or scheduler; a violation is a result.
 * @param baseline words of the label of the row that the others are compared with; default: the first
 */
export async function huntPlans(
  plans: readonly HuntPlan[],
  conduct: Conduct = {},
  baseline?: string,
): Promise<Hunts> {
  const { signal, progress = () => {} } = conduct
  const hunts = plans.flatMap((plan) => plan.configs.map((config) => ({ plan, config })))
  const labels = rowLabels(
    hunts.map(({ plan, config }) => ({
      ...patchNames(plan),
      ...{ scenario: plan.label, config, scheduler: plan.scheduler, seed: plan.seed },
    })),
  )
  const base = baselineOf(labels, baseline)
  // Several kernels or seeds of one scenario.
  const crossed = new Set(plans.map(({ label }) => label)).size < plans.length
  const compared = hunts.length > 1 && (crossed || baseline !== undefined)
  const hunted: Hunted[] = []
  for (const [index, { plan, config }] of hunts.entries()) {
    if (signal?.aborted) break
    if (hunts.length > 1) progress(`${index + 1} of ${hunts.length}: ${labels[index]}`)
    hunted.push(await huntForms(plan, config, conduct))
  }
  const reports = hunted.map(({ report }) => report)
  const interrupted =
    signal?.aborted === true && (hunted.length < hunts.length || reports.some((row) => row.interrupted))
  return { hunted, sweep: huntSweep(reports, interrupted, compared ? base : undefined) }
}

/** Hunts one configuration of a plan, then its larger forms; what is violated first is what is reported. */
async function huntForms(plan: HuntPlan, config: Configuration, conduct: Conduct): Promise<Hunted> {
  const first = await huntOne(plan, config, conduct)
  const forms = [huntedForm(first.report)]
  const index = plan.configs.indexOf(config)
  for (const larger of plan.larger) {
    if (first.report.verdict !== 'held' || conduct.signal?.aborted === true) break
    try {
      const hunted = await huntOne(larger, larger.configs[index], conduct)
      forms.push(huntedForm(hunted.report))
      if (hunted.report.verdict === 'violated') return { ...hunted, report: { ...hunted.report, forms } }
    } catch (error) {
      // It has no room for more, or does not expect it: the form that it was made for has been hunted.
      if (!(error instanceof UsageError)) throw error
      const { cpus, operations, pages } = larger
      forms.push({ cpus, operations, pages, refused: error.message })
    }
  }
  return forms.length === 1 ? first : { ...first, report: { ...first.report, forms } }
}

function huntedForm({ cpus, operations, pages, executions, learning, verdict }: HuntReport): HuntedForm {
  return { cpus, operations, pages, executions, learning, verdict }
}

/**
 * Hunts one configuration of a plan. Throws UsageError for what is wrong in the user's scenario, patches or scheduler.
 */
async function huntOne(plan: HuntPlan, config: Configuration, conduct: Conduct): Promise<Hunted> {
  const { cpus, operations, pages, off, options } = plan
  const built = await buildPlan(plan, config)
  const { image } = built
  const { reaches, expects } = plan.declaration
  checkNames(plan.label, image, plan.declaration)
  const sizes: Sizes = { cpus, operations, pages }
  // The scenario's setup runs here first: what it has wrong is said before any worker starts.
  const { setupSites } = guarded(image, cpus, () => built.make(sizes)).machine
  const result = await explored(plan, built, sizes, conduct)
  const violations: ViolationReport[] = []
  const descriptions: (Description | undefined)[] = []
  const replays: ReplayFile[] = []
  const unwritten: UsageError[] = []
  for (const violation of result.violations) {
    guarded(image, cpus, () => refuseScenario(built, sizes, violation))
    const index = descriptions.length
    const shrunk = index < SHRUNK ? await shrunkOf(built, sizes, violation, conduct) : undefined
    const shown = guarded(image, cpus, () =>
      explain(plan, config, built, sizes, violation, shrunk, descriptions, replays, unwritten),
    )
    violations.push(shown)
  }
  const { reverts, userPatches, workers } = plan
  const checks = allChecks()
    .filter((check) => check.when !== 'rest' || !off.includes(check.name))
    .map((check) => check.name)
  // What a violation has cut short might have reached it.
  const cutShort = result.violations.length > 0 && options.keepGoing !== true
  const about = {
    ...{ scenario: plan.label, config, reverts, sizes, workers },
    patches: userPatches.map((patch) => relative('', patch)),
    ...{ sites: image.sites, setupSites },
    retries: retriesOf(image.symbols, result.stat),
    checks: { on: checks.filter((check) => !off.includes(check)), off },
    notes: [...notesOf(config, options, cpus), ...unwritten.map(({ message }) => message)],
    keepGoing: options.keepGoing ?? false,
    notReached: cutShort ? [] : notReached(image, reaches, result),
    unmet: plan.asDeclared ? unmet(image, expects, result) : [],
    command: huntCommand(plan, config),
  }
  const places = {
    sites: image.sites,
    reached: result.sites,
    setup: [...setupSites],
    pairs: result.pairs.map(placesOfPair),
  }
  return { report: huntReport(about, result, violations), descriptions, replays, unwritten, places }
}

async function explored(
  plan: HuntPlan,
  { image }: Built,
  sizes: Sizes,
  { signal, progress = () => {} }: Conduct,
): Promise<HuntResult> {
  const { seed, stepLimit, workers, scheduler, seconds, off, options } = plan
  const { file, symbols, sites, functions, declared } = image
  let shown = performance.now()
  try {
    return await campaign({
      subject: {
        image: { file, symbols, sites, functions, declared },
        options: steppedOptions(sizes, seed, stepLimit),
        off,
      },
      ...{ seed, scheduler, workers, seconds },
      ...(signal && { signal }),
      sites: sites.length,
      brief: plan.brief,
      ...(plan.learning === undefined ? {} : { learning: plan.learning }),
      ...(plan.executions === undefined ? {} : { executions: plan.executions }),
      ...(options.depth === undefined ? {} : { depth: options.depth }),
      ...(options.preemptions === undefined ? {} : { preemptions: options.preemptions }),
      ...(options.keepGoing === undefined ? {} : { keepGoing: options.keepGoing }),
      ...(options.determinismCheck === undefined ? {} : { checkDeterminism: options.determinismCheck }),
      progress(now) {
        if (performance.now() - shown < PROGRESS * 1000) return
        shown = performance.now()
        progress(
          `${count(now.executions)} executions, ${count(now.executionsPerSecond)}/s, ` +
            `${count(now.distinctSchedules)} distinct schedules, ${count(now.conflictPairs)} ` +
            'conflicting pairs of source lines' +
            (now.violations.length > 0 ? `, ${now.violations.length} distinct violations` : ''),
        )
      },
    })
  } catch (error) {
    throw explainThrown(image, sizes.cpus, error)
  }
}

async function shrunkOf(
  built: Built,
  sizes: Sizes,
  violation: HuntViolation,
  { signal }: Conduct,
): Promise<Shrunk | undefined> {
  if (!violation.reproduced) return undefined
  try {
    return await shrink(built.make(sizes), violation.check, violation, {
      sizes,
      make: makeSmaller(built),
      signal,
    })
  } catch (error) {
    throw explainThrown(built.image, sizes.cpus, error)
  }
}

/** Describes one violation, and writes its replay file. A file that cannot be written takes nothing else along. */
function explain(
  plan: HuntPlan,
  config: Configuration,
  built: Built,
  sizes: Sizes,
  violation: HuntViolation,
  shrunk: Shrunk | undefined,
  descriptions: (Description | undefined)[],
  replays: ReplayFile[],
  unwritten: UsageError[],
): ViolationReport {
  const { image } = built
  const { options } = plan
  const index = descriptions.length
  const reached = shrunk ?? {
    subject: built.make(sizes),
    sizes,
    schedule: violation.schedule,
    steps: violation.steps,
    draws: violation.draws,
  }
  const description = describeViolation(reached.subject, image, courseOf(reached), packageRoot())
  descriptions.push(description)
  let file = options.out === undefined ? undefined : replayPath(options.out, plan, violation, index)
  const { execution, seconds } = violation
  const { seed } = plan
  if (description !== undefined) {
    let at = 0
    const replay = makeReplay(
      description.recording,
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
        ...{ seed, stepLimit: plan.stepLimit, scheduler: plan.scheduler, execution },
      },
      // Named as they were taken, in their order.
      () => {
        const step = description.steps[at++]
        return { function: step.function, file: step.file, line: step.line, object: step.object }
      },
    )
    replays.push(replay)
    if (file !== undefined) {
      const text = formatReplay(replay)
      file = freeName(file, text)
      try {
        writeResult(file, text)
      } catch (error) {
        if (!(error instanceof UsageError)) throw error
        unwritten.push(error)
        file = undefined
      }
    }
  }
  const pairs = pairsOf(reached.schedule)
  const about = {
    ...{ execution, count: violation.count, seconds: Math.round(seconds * 1e4) / 1e4, seed },
    schedule: pairs,
    draws: reached.draws,
    ...(file === undefined ? {} : replayedBy(relative('', file))),
    ...(shrunk === undefined ? {} : { shrunk: shrinkReport(shrunk) }),
  }
  const { check, message } = violation
  return description === undefined
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
    : violationReport(description, about, options.verbose ?? false)
}

function shrinkReport({ sizes, steps, switches, executions, proofs }: Shrunk): {
  sizes: Sizes
  steps: number
  switches: number
  executions: number
  necessary: Shrunk['proofs']
} {
  return { sizes, steps, switches, executions, necessary: proofs }
}

/** A scenario that says that it cannot go on is the user's to repair, not a violation. */
function refuseScenario(built: Built, sizes: Sizes, violation: HuntViolation): void {
  if (violation.check !== 'scenario') return
  const { image } = built
  const description = describeViolation(built.make(sizes), image, courseOf(violation), packageRoot())
  throw new UsageError(`${description?.splat[0] ?? violation.message}.`)
}

function replayedBy(replay: string): { replay: string; command: string } {
  return { replay, command: `mmtorture replay ${shellQuote(replay)}` }
}

function replayPath(out: string, plan: HuntPlan, violation: HuntViolation, index: number): string {
  const name = [
    plan.scenario.name,
    ...plan.reverts,
    violation.check.toLowerCase(),
    ...(index === 0 ? [] : [index + 1]),
  ]
  return resolve(out, `${name.join('-').replaceAll(/[^\w-]+/g, '-')}.json`)
}

function pairsOf(schedule: readonly number[]): [number, number][] {
  const pairs: [number, number][] = []
  for (let i = 0; i < schedule.length; i += 2) pairs.push([schedule[i], schedule[i + 1]])
  return pairs
}

function notesOf(config: Configuration, options: HuntChoices, cpus: number): string[] {
  const own = new Set((options.config ?? []).map(keyOf))
  const changed = new Set(huntChanges(config, cpus).map(keyOf))
  const taken = huntDefaults(cpus).filter((setting) => {
    const [key] = setting.split('=')
    return !own.has(key) && !changed.has(key)
  })
  return taken.length === 0
    ? []
    : [
        `a hunt takes ${taken.join(', ')} unless --config says otherwise: the fewer words, the more ` +
          'schedules a second.',
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
