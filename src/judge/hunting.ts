// The hunts of a judgement, breadth first: a few executions in every scenario before many in one, so that what is wrong
// is found in seconds. The first hunt of a scenario says whether it reaches what is judged; those that do not are left
// out from then on. Leaves out the hunt itself: src/hunt.
import { UsageError } from '../base/errors.ts'
import type { Conduct } from '../base/conduct.ts'
import { scenarioDeclaration } from '../catalog/forms.ts'
import type { ScenarioFile } from '../catalog/scenarios.ts'
import { type Hunted, huntPlans } from '../hunt/hunt.ts'
import { type HuntChoices, planHunt } from '../hunt/plan.ts'
import { type AheadRequest, BuildAhead } from './ahead.ts'
import { builtIns, type Candidate } from './candidate.ts'
import { placeOf } from './change.ts'
import type { Deadline } from './deadline.ts'
import { type JudgedPlan, type JudgePlan, nameOf } from './plan.ts'
import type { HuntedScenario, HuntSummary } from './report.ts'

/** Executions of a scenario in the first round, and how many times more each later one has. */
const FIRST = 64
const MORE = 4
/** Executions that learn in the first round: enough for most shared words. */
const LEARNING = 8

/**
 * Behind so many scenarios in a row that do not reach what is judged, those that do are hunted again first: few reach
 * what a patch changes.
 */
const MISSES = 4

/** Seconds that have to be left for the larger forms of a hunt. */
const ROOM = 10

/** One scenario with one kernel of a candidate. */
interface Job {
  readonly tally: Tally
  readonly scenario: ScenarioFile
  /** Beside the candidate's own. */
  readonly settings: readonly string[]
  row: HuntedScenario | undefined
}

/**
 * Hunts all that are judged until `deadline`, or until each has had its executions. A violation ends the hunts of its
 * candidate. Throws UsageError for what is wrong in a candidate.
 * @param end of all: shrinking has until then
 */
export async function huntJudged(
  plan: JudgePlan,
  deadline: Deadline,
  end: Deadline,
  { signal, progress = () => {} }: Conduct,
): Promise<Tally[]> {
  const tallies = plan.judged.map((judged) => new Tally(judged, plan.judged.length === 1))
  const jobs = jobsOf(tallies)
  const over = (): boolean => deadline.left <= 0 || signal?.aborted === true
  const hunt = (job: Job, what: string): Promise<void> => {
    progress(`hunt ${what}: ${labelOf(job)}`)
    const round = job.row?.rounds ?? 0
    // Breadth comes first.
    const executions = FIRST * MORE ** (left.length > 0 ? Math.min(round, 1) : round)
    return huntJob(plan, job, executions, deadline, end.signal(signal))
  }
  const left = [...jobs]
  let misses = 0
  const ahead = new BuildAhead(
    jobs.flatMap((job) => requestOf(plan, job)),
    plan.workers,
  )
  try {
    while (!over()) {
      const next = misses < MISSES ? left.shift() : undefined
      if (next !== undefined) {
        if (next.tally.violation !== undefined) continue
        ahead.reached(jobs.indexOf(next))
        await hunt(next, `${jobs.length - left.length} of ${jobs.length}`)
        misses = next.row?.reaches === true ? 0 : misses + 1
        continue
      }
      misses = 0
      const again = jobs.filter(
        (job) => (job.row?.executions ?? 0) < plan.executions && job.tally.wants(job, left.length === 0),
      )
      if (again.length === 0 && left.length === 0) break
      for (const tally of tallies) tally.beginRound()
      for (const [index, job] of again.entries())
        if (!over() && job.tally.violation === undefined)
          await hunt(job, `again, ${index + 1} of ${again.length}`)
    }
    return tallies
  } finally {
    await ahead.stop()
  }
}

/** The image of a job's first hunt; none where the scenario does not suit the candidate. */
function requestOf(plan: JudgePlan, job: Job): AheadRequest[] {
  try {
    const { configs, scenario, patches } = planHunt(nameOf(job.scenario), kernelOf(plan, job))
    return [{ config: configs[0], scenario: scenario.file, patches }]
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    return []
  }
}

function kernelOf(plan: JudgePlan, { tally, settings }: Job): Pick<HuntChoices, 'config' | 'patch'> {
  const { candidate } = tally.judged
  return { config: [...plan.settings, ...candidate.settings, ...settings], patch: candidate.patches }
}

/** Scenario by scenario, so that all candidates get equally far. */
function jobsOf(tallies: readonly Tally[]): Job[] {
  const most = Math.max(...tallies.map(({ judged }) => judged.scenarios.length))
  return Array.from({ length: most }, (_, index) =>
    tallies.flatMap((tally) => {
      const scenario = tally.judged.scenarios[index]
      return scenario === undefined
        ? []
        : variants(tally.judged.candidate).map((settings) => ({ tally, scenario, settings, row: undefined }))
    }),
  ).flat()
}

/**
 * The kernels of a candidate. A spinlock waits as the stepped machine lets it and, with PARAVIRT_SPINLOCKS, by its own
 * code; a scenario is to hold with each built-in design.
 */
function variants(candidate: Candidate): string[][] {
  if (candidate.kind === 'spinlock') return [[], ['PARAVIRT_SPINLOCKS=y']]
  if (candidate.kind === 'scenario') return builtIns('design').map(({ settings }) => [...settings])
  return [[]]
}

async function huntJob(
  plan: JudgePlan,
  job: Job,
  wanted: number,
  deadline: Deadline,
  signal: AbortSignal,
): Promise<void> {
  const { tally, scenario } = job
  const started = performance.now()
  const round = job.row?.rounds ?? 0
  try {
    const choices = {
      executions: Math.min(wanted, plan.executions - (job.row?.executions ?? 0)),
      seconds: Math.max(0.01, deadline.left),
      // A round of its own: more of what the last one had.
      seed: plan.seed + round,
      workers: plan.workers,
      ...kernelOf(plan, job),
      ...(plan.out === undefined ? {} : { out: plan.out }),
    }
    const chosen = planHunt(nameOf(scenario), choices)
    // Larger forms take kernels of their own.
    const larger = deadline.left > ROOM ? chosen.larger : []
    const planned = { ...chosen, larger, brief: true }
    const hunt = round === 0 ? { ...planned, learning: LEARNING } : planned
    const { hunted } = await huntPlans([hunt], { signal })
    // Aborted before it began.
    if (hunted.length === 0) return
    job.row = tally.add(job, hunted[0], (performance.now() - started) / 1000)
  } catch (error) {
    // Somewhere else it could be hunted: this scenario does not suit it.
    if (!(error instanceof UsageError) || tally.rows.length === 0) throw error
    tally.refused.push({ scenario: labelOf(job), why: error.message })
  }
}

function labelOf({ scenario, settings, tally }: Job): string {
  const label = [nameOf(scenario), ...settings].join(' ')
  return tally.alone ? label : `${tally.judged.candidate.name}, ${label}`
}

/** What the hunts of one candidate add up to. */
export class Tally {
  readonly judged: JudgedPlan
  /** Whether nothing else is judged with it. */
  readonly alone: boolean
  readonly rows: HuntedScenario[] = []
  readonly refused: { scenario: string; why: string }[] = []
  violation: Hunted | undefined
  readonly #places = new Map<string, boolean>()
  readonly #pairs = new Set<string>()
  readonly #declares: ReadonlySet<string>
  #executions = 0
  #learning = 0
  #steps = 0
  #schedules = 0
  #rounds = 0
  #seconds = 0
  /** Pairs that were new, in this round and in the one before. */
  #fresh = { executions: 0, pairs: 0 }
  #last = this.#fresh

  constructor(judged: JudgedPlan, alone: boolean) {
    this.judged = judged
    this.alone = alone
    const { functions } = judged.change
    const declares = judged.scenarios.filter((scenario) =>
      scenarioDeclaration(scenario).reaches.some((name) => functions.has(name)),
    )
    this.#declares = new Set(declares.map(nameOf))
  }

  beginRound(): void {
    this.#rounds++
    if (this.#fresh.executions > 0) this.#last = this.#fresh
    this.#fresh = { executions: 0, pairs: 0 }
  }

  /** Whether a job is worth another hunt; `last`: no scenario is left that has had none. */
  wants({ scenario, row }: Job, last: boolean): boolean {
    if (this.violation !== undefined || row === undefined) return false
    // What the first executions do not reach, but more of them do by the scenario's own account, is hunted on.
    return (
      row.reaches || this.#declares.has(nameOf(scenario)) || (last && this.rows.every((one) => !one.reaches))
    )
  }

  add({ scenario, settings, row }: Job, hunted: Hunted, seconds: number): HuntedScenario {
    const { report, places } = hunted
    const { change } = this.judged
    const inExecutions = new Set(places.reached)
    const taken = new Set([...places.reached, ...places.setup])
    let reaches = false
    for (const [index, site] of places.sites.entries()) {
      const place = placeOf(change, site)
      if (place === undefined) continue
      this.#places.set(place, (this.#places.get(place) ?? false) || taken.has(index))
      // What setup alone comes by is done before there is anything to interleave.
      if (inExecutions.has(index)) reaches = true
    }
    const before = this.#pairs.size
    const textOf = (index: number): string => `${places.sites[index].file}:${places.sites[index].line}`
    for (const [first, second] of places.pairs) this.#pairs.add(`${textOf(first)} ${textOf(second)}`)
    const executions = (report.forms ?? [report]).reduce((sum, form) => sum + (form.executions ?? 0), 0)
    const learning = (report.forms ?? [report]).reduce((sum, form) => sum + (form.learning ?? 0), 0)
    this.#fresh.executions += executions + learning
    this.#fresh.pairs += this.#pairs.size - before
    this.#executions += executions
    this.#learning += learning
    this.#steps += report.steps
    this.#schedules += report.distinctSchedules
    this.#seconds += seconds
    if (report.verdict === 'violated') this.violation = hunted
    const made: HuntedScenario = {
      scenario: nameOf(scenario),
      settings,
      reaches: reaches || (row?.reaches ?? false),
      executions: executions + (row?.executions ?? 0),
      rounds: (row?.rounds ?? 0) + 1,
      verdict: report.verdict === 'held' && row !== undefined ? row.verdict : report.verdict,
    }
    if (row === undefined) this.rows.push(made)
    else this.rows[this.rows.indexOf(row)] = made
    return made
  }

  summary(): HuntSummary {
    const hunted = new Set(this.rows.map(({ scenario }) => scenario))
    const refused = this.refused.map((one) => ({ ...one }))
    const places = [...this.#places.keys()].toSorted()
    return {
      seconds: Math.round(this.#seconds * 100) / 100,
      rounds: this.#rounds,
      executions: this.#executions,
      learning: this.#learning,
      steps: this.#steps,
      distinctSchedules: this.#schedules,
      scenarios: this.rows,
      left: this.judged.scenarios
        .map(nameOf)
        .filter((name) => !hunted.has(name) && !refused.some(({ scenario }) => scenario.startsWith(name))),
      refused,
      places: {
        reached: places.filter((place) => this.#places.get(place)),
        unreached: places.filter((place) => this.#places.get(place) === false),
      },
      conflictPairs: this.#pairs.size,
      fresh: this.#fresh.executions > 0 ? this.#fresh : this.#last,
    }
  }
}
