// The row model of `scale`: one plain document, `mmtorture/scale@1`, from which text and JSON are made. Nothing in it
// depends on the machine it ran on or on the time it took: equal seeds give equal bytes. Leaves out formatting.
import type { Configuration } from '../kbuild/config.ts'
import type { RowKernel } from '../kbuild/labels.ts'
import type { ClockPoint } from './point.ts'
import type { Failure } from '../inspect/failure.ts'
import type { CheckResult, TraceTable } from '../run/trace_run.ts'
import type { Verdict } from '../base/verdict.ts'

/** A point of a curve, or why there is none. */
export interface ScalePoint extends Partial<ClockPoint> {
  readonly cpus: number
  readonly config: Configuration
  /** In a sweep over kernels or seeds: those of this point. */
  readonly reverts?: readonly string[]
  readonly patches?: readonly string[]
  readonly seed?: number
  /** Its throughput as a multiple of what the baseline has on as many CPUs; only where there are several curves. */
  readonly ofBaseline?: number
  /** 0 where the point could not run. */
  readonly operationsPerSecond: number
  readonly locks: ClockPoint['locks']
  /** Why the point could not run, or what a replay differs in; absent: it ran. */
  readonly failure?: string
  /** A BUG or a deadlock ended it, or a check of the replay failed. */
  readonly violated?: true
  /** The BUG, with what each CPU was doing. */
  readonly bug?: Failure
  /** The command that looks for what violated it. */
  readonly hunt?: string
  /** Of a recording's replay: its faults as recorded and as they came out, and the checks that judge them. */
  readonly trace?: TraceTable
  readonly checks?: readonly CheckResult[]
  /** The text of a profile and the like, by option. */
  readonly texts?: Readonly<Record<string, string>>
}

export interface ScaleReport {
  readonly schema: 'mmtorture/scale@1'
  readonly scenario: string
  /** Fixes that were taken out, and paths of the user's patches. */
  readonly reverts: readonly string[]
  readonly patches: readonly string[]
  readonly topology: string
  readonly topologyDescription: string
  /** The CPUs of a point lie as far apart as there is room; else side by side. */
  readonly spread: boolean
  /** Costs that are not the topology's own: `NAME=VALUE` in its unit. */
  readonly costs: readonly string[]
  readonly seed: number
  /** Operations of each CPU in the measured window; with neither this nor a time the scenario runs to its end. */
  readonly operations?: number
  /** Seconds of the measured window. */
  readonly simulatedTime?: number
  /** How far a CPU may run ahead, in cycles; 0: exact. */
  readonly lag: number
  readonly points: readonly ScalePoint[]
  /** Index of the curve that the others are compared with. */
  readonly baseline?: number
  readonly interrupted?: true
  readonly verdict: Verdict
  readonly command: string
}

/** What the points of each curve were made with. */
export function curveKernels({ points, reverts, patches, seed }: ScaleReport): RowKernel[] {
  return curves(points).map(([point]) => ({
    config: point.config,
    reverts: point.reverts ?? reverts,
    patches: point.patches ?? patches,
    seed: point.seed ?? seed,
  }))
}

/** The points of each configuration, in the order of the document: the curves. */
export function curves(points: readonly ScalePoint[]): ScalePoint[][] {
  const all = new Map<Configuration, ScalePoint[]>()
  for (const point of points) {
    const curve = all.get(point.config)
    if (curve === undefined) all.set(point.config, [point])
    else curve.push(point)
  }
  return [...all.values()]
}
