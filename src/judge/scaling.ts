// The curves of a judgement: a candidate beside the built-in ones on the clock, what limits it where there are most
// CPUs, and which key moves that. What matters most is measured first, so that time may be up at any point. Leaves out
// the clock: src/scale.
import type { Conduct } from '../base/conduct.ts'
import { UsageError } from '../base/errors.ts'
import { namedScenarios } from '../catalog/scenarios.ts'
import { findTopology } from '../catalog/topologies.ts'
import { keyOf, withDefaults } from '../kbuild/config.ts'
import type { ScalePoint } from '../scale/report.ts'
import { planScale, scalePlan } from '../scale/scale.ts'
import { builtIns, type Candidate } from './candidate.ts'
import type { Deadline } from './deadline.ts'
import type { JudgedPlan, JudgePlan } from './plan.ts'
import { nameOf } from './plan.ts'
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
  { signal, progress = () => {} }: Conduct,
): Promise<Scaled> {
  const { candidate } = judged
  const measured = new Map<string, Map<string, ScalePoint[]>>()
  const bounds: Bound[] = []
  const measure = async (
    load: Load,
    topology: string,
    cpus: readonly number[],
    who: Candidate,
    more: readonly string[] = [],
  ): Promise<readonly ScalePoint[]> => {
    if (deadline.left <= 0 || signal?.aborted === true) return []
    progress(`scale: ${load.load} on ${topology}, ${[who.name, ...more].join(' ')}`)
    const replaced = new Set(more.map(keyOf))
    const settings = [...plan.settings, ...who.settings].filter((setting) => !replaced.has(keyOf(setting)))
    try {
      const { points } = await scalePlan(
        planScale(load.scenario, {
          ...{ cpus, topology, operations: plan.operations, seed: plan.seed, patch: who.patches },
          config: withDefaults([...settings, ...more], MEMORY),
        }),
        { signal: deadline.signal(signal) },
      )
      return points
    } catch (error) {
      // A scenario that counts no operations has no curve.
      if (!(error instanceof UsageError)) throw error
      progress(error.message)
      return []
    }
  }
  const curve = async (
    load: Load,
    topology: string,
    cpus: readonly number[],
    who: Candidate,
  ): Promise<void> => {
    const points = await measure(load, topology, cpus, who)
    if (points.length === 0) return
    const key = `${load.load}\n${load.scenario}\n${topology}`
    const curves = measured.get(key) ?? new Map<string, ScalePoint[]>()
    measured.set(key, curves.set(who.name, [...(curves.get(who.name) ?? []), ...points]))
  }
  const loads = loadsOf(judged)
  const [first, ...others] = plan.topologies
  const [usual, ...rivals] = rivalsOf(plan, candidate)
  const runs = (who: Candidate | undefined): who is Candidate =>
    who !== undefined && candidate.name !== who.name
  for (const load of loads) {
    await curve(load, first, plan.cpus, candidate)
    if (runs(usual)) await curve(load, first, plan.cpus, usual)
    const last = measured.get(`${load.load}\n${load.scenario}\n${first}`)?.get(candidate.name)?.at(-1)
    if (last?.bound === undefined || load !== loads[0]) continue
    bounds.push(await boundOf(load, last, (more) => measure(load, first, [last.cpus], candidate, more)))
  }
  for (const load of loads)
    for (const rival of rivals) if (runs(rival)) await curve(load, first, plan.cpus, rival)
  for (const topology of others)
    for (const load of loads)
      for (const who of [candidate, usual, ...rivals])
        if (who !== undefined && (who === candidate || runs(who)))
          await curve(load, topology, mostCpus(plan.cpus, topology), who)
  const scale = [...measured].map(([key, curves]) => tableOf(key, curves))
  const violated = [...measured.values()].some((curves) =>
    curves.get(candidate.name)?.some((point) => point.violated),
  )
  return { scale, binds: bounds, violated }
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

function tableOf(key: string, curves: ReadonlyMap<string, readonly ScalePoint[]>): ScaleTable {
  const [load, scenario, topology] = key.split('\n')
  return {
    ...{ load, scenario, topology },
    curves: [...curves].map(([name, points]): Curve => ({
      name,
      points: points.map(({ cpus, operationsPerSecond, failure, violated }) => ({
        ...{ cpus, operationsPerSecond },
        ...(failure === undefined ? {} : { failure }),
        ...(violated ? { violated } : {}),
      })),
    })),
  }
}
