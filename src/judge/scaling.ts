// The curves of a judgement: a candidate beside the built-in ones on the clock, what limits it where there are most
// CPUs, and which key moves that. What matters most is measured first, so that time may be up at any point. Leaves out
// the clock: src/scale.
import type { Conduct } from '../base/conduct.ts'
import { UsageError } from '../base/errors.ts'
import { namedScenarios } from '../catalog/scenarios.ts'
import { findTopology } from '../catalog/topologies.ts'
import { withDefaults } from '../kbuild/config.ts'
import type { ScalePoint } from '../scale/report.ts'
import { planScale, scalePlan } from '../scale/scale.ts'
import { builtIns, type Candidate } from './candidate.ts'
import type { Deadline } from './deadline.ts'
import { type JudgedPlan, type JudgePlan, nameOf } from './plan.ts'
import type { Bound, Curve, MovedBound, ScaleTable } from './report.ts'

/** A load and the scenario that makes it. */
interface Load {
  readonly load: string
  readonly scenario: string
}

const LOADS: readonly Load[] = [
  { load: 'faults', scenario: 'page-fault-disjoint' },
  { load: 'fork', scenario: 'fork-storm' },
  { load: 'mixed', scenario: 'mixed' },
]
/** Where a spinlock is all that counts. */
const LOCK_LOADS: readonly Load[] = [{ load: 'lock', scenario: 'lock-torture' }, ...LOADS]

/** Keys that take away what page faults wait for beside page-table locks, alone and together. */
const KEYS = [['VMA_LOCK=y'], ['AREAS=each'], ['VMA_LOCK=y', 'AREAS=each'], ['NODES=4']]

/** Enough for the CPUs of a judgement; a machine of 512M takes as long to boot as its point does. */
const MEMORY = ['MEMORY=128M']

/** What was measured of a candidate. */
export interface Scaled {
  readonly scale: readonly ScaleTable[]
  readonly binds: readonly Bound[]
  /** A point in which something failed. */
  readonly violated: boolean
}

/** Measures until `deadline`. */
export async function scaleJudged(
  plan: JudgePlan,
  judged: JudgedPlan,
  deadline: Deadline,
  conduct: Conduct,
): Promise<Scaled> {
  const { candidate } = judged
  const measured = new Measurements(plan, deadline, conduct)
  const [topology, ...others] = plan.topologies
  const [usual, ...rivals] = rivalsOf(plan, candidate).filter(({ name }) => name !== candidate.name)
  const loads = loadsOf(judged)
  const binds: Bound[] = []
  const result = (): Scaled => ({
    scale: measured.tables.map(tableOf),
    binds,
    violated: measured.tables.some(({ curves }) =>
      curves.get(candidate.name)?.some((point) => point.violated),
    ),
  })
  for (const load of loads) {
    const own = await measured.curve(load, topology, plan.cpus, candidate)
    if (own.some((point) => point.violated)) return result()
    if (usual !== undefined) await measured.curve(load, topology, plan.cpus, usual)
    const last = own.at(-1)
    if (load !== loads[0] || last?.bound === undefined) continue
    binds.push(
      await boundOf(load, last, (more) => measured.points(load, topology, [last.cpus], candidate, more)),
    )
  }
  for (const load of loads) for (const rival of rivals) await measured.curve(load, topology, plan.cpus, rival)
  for (const other of others)
    for (const load of loads)
      for (const who of [candidate, ...(usual === undefined ? [] : [usual]), ...rivals])
        await measured.curve(load, other, mostCpus(plan.cpus, other), who)
  return result()
}

/** Curves of one load on one machine, by who made them. */
interface MeasuredTable {
  readonly load: Load
  readonly topology: string
  readonly curves: Map<string, readonly ScalePoint[]>
}

/** What has been measured so far. */
class Measurements {
  readonly tables: MeasuredTable[] = []
  readonly #plan: JudgePlan
  readonly #deadline: Deadline
  readonly #conduct: Conduct

  constructor(plan: JudgePlan, deadline: Deadline, conduct: Conduct) {
    this.#plan = plan
    this.#deadline = deadline
    this.#conduct = conduct
  }

  /** Measures points and keeps them as a curve; none: there is no time. */
  async curve(
    load: Load,
    topology: string,
    cpus: readonly number[],
    who: Candidate,
  ): Promise<readonly ScalePoint[]> {
    const points = await this.points(load, topology, cpus, who)
    if (points.length === 0) return points
    let table = this.tables.find((one) => one.load === load && one.topology === topology)
    if (table === undefined) this.tables.push((table = { load, topology, curves: new Map() }))
    table.curves.set(who.name, points)
    return points
  }

  /** Measures points, as far as there is time. `more`: settings in place of the candidate's own. */
  async points(
    load: Load,
    topology: string,
    cpus: readonly number[],
    who: Candidate,
    more: readonly string[] = [],
  ): Promise<readonly ScalePoint[]> {
    const { signal, progress = () => {} } = this.#conduct
    if (this.#deadline.left <= 0 || signal?.aborted === true) return []
    const { settings, operations, seed } = this.#plan
    progress(`scale: ${load.load} on ${topology}, ${[who.name, ...more].join(' ')}`)
    try {
      const plan = planScale(load.scenario, {
        ...{ cpus, topology, operations, seed, patch: who.patches },
        config: withDefaults(withDefaults(more, [...settings, ...who.settings]), MEMORY),
      })
      return (await scalePlan(plan, { signal: this.#deadline.signal(signal) })).points
    } catch (error) {
      // A scenario that counts no operations has no curve.
      if (!(error instanceof UsageError)) throw error
      progress(error.message)
      return []
    }
  }
}

/** A scenario is its own load; others have those that there are. */
function loadsOf({ candidate, scenarios }: JudgedPlan): Load[] {
  if (candidate.kind === 'scenario')
    return scenarios.map((scenario) => ({ load: nameOf(scenario), scenario: nameOf(scenario) }))
  const known = new Set(namedScenarios().map(({ name }) => name))
  return (candidate.kind === 'spinlock' ? LOCK_LOADS : LOADS).filter(({ scenario }) => known.has(scenario))
}

/** What a candidate is compared with: the built-in ones that were named, or all; a patch with the kernel as it is. */
function rivalsOf({ rivals }: JudgePlan, { kind }: Candidate): Candidate[] {
  if (kind === 'patch') return [UNPATCHED]
  const of = kind === 'spinlock' ? 'spinlock' : 'design'
  const named = rivals.filter((rival) => rival.kind === of)
  return named.length > 0 ? named : builtIns(of)
}

const UNPATCHED: Candidate = {
  ...{ name: 'unpatched', kind: 'patch', builtIn: true, settings: [], patches: [] },
}

/** The greatest of `cpus` that the topology has; its own greatest if it has none of them. */
function mostCpus(cpus: readonly number[], topology: string): number[] {
  const { cpus: room } = findTopology(topology)
  return [Math.max(...cpus.filter((number) => number <= room), 1)]
}

async function boundOf(
  { load }: Load,
  { cpus, bound, locks, operationsPerSecond, config }: ScalePoint,
  measure: (settings: readonly string[]) => Promise<readonly ScalePoint[]>,
): Promise<Bound> {
  const keys: MovedBound[] = []
  for (const settings of KEYS) {
    // It is so already.
    const has = (setting: string): boolean => {
      const [key, value] = setting.split('=')
      return String(config[key as keyof typeof config]) === value
    }
    if (settings.some(has)) continue
    const [point] = await measure(settings)
    if (point?.bound === undefined || operationsPerSecond === 0) continue
    const ratio = Math.round((point.operationsPerSecond / operationsPerSecond) * 100) / 100
    keys.push({ settings: settings.join(' '), ratio, bound: point.bound })
  }
  const [lock] = locks
  return {
    ...{ load, cpus, bound: bound! },
    ...(lock === undefined ? {} : { lock: { class: lock.class, waiting: lock.waiting } }),
    keys: keys.toSorted((left, right) => right.ratio - left.ratio),
  }
}

function tableOf({ load, topology, curves }: MeasuredTable): ScaleTable {
  return {
    ...{ ...load, topology },
    curves: [...curves].map(([name, points]): Curve => ({
      name,
      points: points.map(({ cpus, operationsPerSecond, failure, violated, hunt }) => ({
        ...{ cpus, operationsPerSecond },
        ...(failure === undefined ? {} : { failure }),
        ...(violated ? { violated } : {}),
        ...(hunt === undefined ? {} : { hunt }),
      })),
    })),
  }
}
