// The report of `scale` as text for people: a table of all points, a plot of the curves, and what bounds each.
import { CONFIG_KEYS, type Configuration } from '../kbuild/config.ts'
import { mark, plot } from './scale_plot.ts'
import { curveKernels, curves, type ScalePoint, type ScaleReport } from '../scale/report.ts'
import { formatFailure } from '../inspect/failure.ts'
import { rowLabels } from '../kbuild/labels.ts'
import { formatTraceTable } from '../trace/table.ts'
import { kernelLines } from './kernel_lines.ts'
import { block, count, flow, percent, plural, table, wrap } from '../base/text.ts'

/** What names a curve, by the configuration of its points; empty where there is one curve. */
type Labels = ReadonlyMap<Configuration, string>

/** The whole report, ending in a newline. */
export function formatScale(report: ScaleReport): string {
  const all = curves(report.points)
  const configs = all.map((curve) => curve[0].config)
  const names = rowLabels(curveKernels(report))
  const labels: Labels = new Map(configs.map((config, index) => [config, names[index]]))
  const sections = [
    heading(report, configs),
    pointTable(report, all, labels),
    report.baseline === undefined ? [] : [`of base: of what ${names[report.baseline]} does on as many CPUs.`],
    picture(all, labels),
    bounds(all, labels),
    ...texts(report.points, labels),
    ...traces(report.points, labels),
    report.points.flatMap((point) => failureLines(point, labels)),
    [`verdict: ${report.verdict}${report.interrupted ? ' (interrupted)' : ''}`],
  ]
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`
}

function heading(report: ScaleReport, configs: readonly Configuration[]): string[] {
  const { scenario, topology, topologyDescription, seed, operations, simulatedTime, lag } = report
  const length =
    operations !== undefined
      ? `${plural(operations, 'operation')} a CPU`
      : simulatedTime !== undefined
        ? `${simulatedTime} s of simulated time`
        : 'to its end'
  const fixed = CONFIG_KEYS.filter(
    ({ name, default: usual }) =>
      new Set(configs.map((config) => config[name])).size === 1 &&
      (['PTLOCK', 'SPINLOCK'].includes(name) || String(configs[0]?.[name]) !== usual),
  ).map(({ name }) => `${name}=${configs[0][name]}`)
  return [
    `${scenario} on ${topology} (${topologyDescription}): ${length}, seed ${seed}`,
    ...flow([...fixed, ...report.costs]),
    ...kernelLines(commonKernel(report)),
    ...(report.spread ? ['CPUs spread over the machine, as far apart as there is room'] : []),
    ...(lag > 0 ? [`CPUs run up to ${lag} cycles ahead of the slowest one: faster, and not exact`] : []),
  ]
}

/** How the kernel of all curves was changed: what varies stands in their labels. */
function commonKernel(report: ScaleReport): Pick<ScaleReport, 'reverts' | 'patches'> {
  const kernels = curveKernels(report)
  const same = (field: 'reverts' | 'patches'): readonly string[] =>
    new Set(kernels.map((kernel) => kernel[field].join())).size > 1 ? [] : report[field]
  return { reverts: same('reverts'), patches: same('patches') }
}

function pointTable(report: ScaleReport, all: readonly (readonly ScalePoint[])[], labels: Labels): string[] {
  const faults = report.points.some((point) => (point.faultsPerSecond ?? 0) > 0)
  const several = all.length > 1
  const head = [
    ...(several ? ['', 'configuration'] : []),
    'CPUs',
    'operations/s',
    ...(report.baseline === undefined ? [] : ['of base']),
    ...(faults ? ['faults/s'] : []),
    'speedup',
    'running',
    'locks',
    'lines',
    'idle',
    'transfers/op',
    'waits most for',
  ]
  return table([
    head,
    ...all.flatMap((curve, index) =>
      curve.map((point) => {
        const label = several ? [mark(index), labelOf(point, labels)] : []
        const cells = [...label, String(point.cpus)]
        if (point.failure !== undefined && point.time === undefined)
          return [...cells, '-', ...head.slice(cells.length + 1).map(() => '')]
        // Without a point of one CPU nothing says what one would do.
        const one = curve.find(({ cpus, operationsPerSecond }) => cpus === 1 && operationsPerSecond > 0)
        const { time, locks } = point
        return [
          ...cells,
          count(point.operationsPerSecond),
          ...(report.baseline === undefined ? [] : [againstBase(point)]),
          ...(faults ? [count(point.faultsPerSecond ?? 0)] : []),
          one === undefined ? '-' : (point.operationsPerSecond / one.operationsPerSecond).toFixed(2),
          percent(time!.running),
          percent(time!.waiting),
          percent(time!.stalled),
          percent(time!.idle),
          (point.transfersPerOperation ?? 0).toFixed(2),
          locks.length > 0 && locks[0].waiting >= 0.005
            ? `${locks[0].class} ${percent(locks[0].waiting)}`
            : '',
        ]
      }),
    ),
  ])
}

function picture(all: readonly (readonly ScalePoint[])[], labels: Labels): string[] {
  const lines = plot(
    all.map((curve) => ({
      points: curve.map(({ cpus, operationsPerSecond }) => ({ x: cpus, y: operationsPerSecond })),
    })),
  )
  if (lines.length === 0) return []
  const legend = labels.size > 1 ? [...labels.values()].map((label, index) => `${mark(index)} ${label}`) : []
  return ['operations/s', ...lines, ...flow(legend)]
}

/** Of each curve where it ends, and where it is highest if that is elsewhere. */
function bounds(all: readonly (readonly ScalePoint[])[], labels: Labels): string[] {
  const lines: string[] = []
  for (const curve of all) {
    const measured = curve.filter((point) => point.bound !== undefined)
    if (measured.length === 0) continue
    const best = measured.reduce((top, point) =>
      point.operationsPerSecond > top.operationsPerSecond ? point : top,
    )
    const label = labels.size > 1 ? `${labelOf(curve[0], labels)}: ` : ''
    const peak = best === measured.at(-1) ? '' : `highest at ${plural(best.cpus, 'CPU')}; `
    lines.push(...wrap(`${label}${peak}${measured.at(-1)!.bound}.`))
  }
  return lines
}

function texts(points: readonly ScalePoint[], labels: Labels): string[][] {
  return points.flatMap((point) =>
    Object.values(point.texts ?? {}).map((text) => [`${named(point, labels)}:`, '', text.trimEnd()]),
  )
}

/** Of a recording's replay: the table of each point, and how it was judged. */
function traces(points: readonly ScalePoint[], labels: Labels): string[][] {
  return points.flatMap((point) => {
    if (point.trace === undefined) return []
    const judged = (point.checks ?? []).map(
      ({ name, ok }) => `${name} ${ok === true ? 'held' : ok === false ? 'FAILED' : ok}`,
    )
    return [
      [
        `${named(point, labels)}:`,
        ...block('trace', formatTraceTable(point.trace).split('\n')),
        ...block('checks', flow(judged)),
      ],
    ]
  })
}

function failureLines(point: ScalePoint, labels: Labels): string[] {
  const { failure, bug, hunt } = point
  if (failure === undefined) return []
  return [
    ...wrap(`${named(point, labels)}: ${failure}`),
    ...(bug === undefined ? [] : formatFailure(bug).split('\n').slice(1)),
    ...(hunt === undefined ? [] : [`to hunt it: ${hunt}`]),
  ]
}

function named(point: ScalePoint, labels: Labels): string {
  const label = labelOf(point, labels)
  return `${label === '' ? '' : `${label}, `}${plural(point.cpus, 'CPU')}`
}

function labelOf({ config }: ScalePoint, labels: Labels): string {
  return labels.get(config) ?? ''
}

function againstBase({ ofBaseline }: ScalePoint): string {
  return ofBaseline === undefined ? '-' : percent(ofBaseline)
}
