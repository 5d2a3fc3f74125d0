// The report of `scale` as text for people: a table of all points, a plot of the curves, and what bounds each.
import { CONFIG_KEYS, type Configuration } from '../kbuild/config.ts'
import { mark, plot } from './scale_plot.ts'
import { curves, type ScalePoint, type ScaleReport } from '../scale/report.ts'
import { formatFailure } from '../inspect/failure.ts'
import { rowLabel } from '../kbuild/labels.ts'
import { formatTraceTable } from '../trace/table.ts'
import { kernelLines } from './kernel_lines.ts'
import { block, count, flow, percent, plural, table, wrap } from '../base/text.ts'

/** The whole report, ending in a newline. */
export function formatScale(report: ScaleReport): string {
  const all = curves(report.points)
  const configs = all.map((curve) => curve[0].config)
  const sections = [
    heading(report, configs),
    pointTable(report, all, configs),
    picture(all, configs),
    bounds(all, configs),
    ...texts(report.points, configs),
    ...traces(report.points, configs),
    report.points.flatMap((point) => failureLines(point, configs)),
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
    ...kernelLines(report),
    ...(report.spread ? ['CPUs spread over the machine, as far apart as there is room'] : []),
    ...(lag > 0 ? [`CPUs run up to ${lag} cycles ahead of the slowest one: faster, and not exact`] : []),
  ]
}

function pointTable(
  report: ScaleReport,
  all: readonly (readonly ScalePoint[])[],
  configs: readonly Configuration[],
): string[] {
  const faults = report.points.some((point) => (point.faultsPerSecond ?? 0) > 0)
  const several = configs.length > 1
  const head = [
    ...(several ? ['', 'configuration'] : []),
    'CPUs',
    'operations/s',
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
        const label = several ? [mark(index), rowLabel(point.config, configs)] : []
        const cells = [...label, String(point.cpus)]
        if (point.failure !== undefined && point.time === undefined)
          return [...cells, '-', ...head.slice(cells.length + 1).map(() => '')]
        // Without a point of one CPU nothing says what one would do.
        const one = curve.find(({ cpus, operationsPerSecond }) => cpus === 1 && operationsPerSecond > 0)
        const { time, locks } = point
        return [
          ...cells,
          count(point.operationsPerSecond),
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

function picture(all: readonly (readonly ScalePoint[])[], configs: readonly Configuration[]): string[] {
  const lines = plot(
    all.map((curve) => ({
      points: curve.map(({ cpus, operationsPerSecond }) => ({ x: cpus, y: operationsPerSecond })),
    })),
  )
  if (lines.length === 0) return []
  const legend =
    configs.length > 1 ? configs.map((config, index) => `${mark(index)} ${rowLabel(config, configs)}`) : []
  return ['operations/s', ...lines, ...flow(legend)]
}

/** Of each curve where it ends, and where it is highest if that is elsewhere. */
function bounds(all: readonly (readonly ScalePoint[])[], configs: readonly Configuration[]): string[] {
  const lines: string[] = []
  for (const curve of all) {
    const measured = curve.filter((point) => point.bound !== undefined)
    if (measured.length === 0) continue
    const best = measured.reduce((top, point) =>
      point.operationsPerSecond > top.operationsPerSecond ? point : top,
    )
    const label = configs.length > 1 ? `${rowLabel(curve[0].config, configs)}: ` : ''
    const peak = best === measured.at(-1) ? '' : `highest at ${plural(best.cpus, 'CPU')}; `
    lines.push(...wrap(`${label}${peak}${measured.at(-1)!.bound}.`))
  }
  return lines
}

function texts(points: readonly ScalePoint[], configs: readonly Configuration[]): string[][] {
  return points.flatMap((point) =>
    Object.values(point.texts ?? {}).map((text) => [`${named(point, configs)}:`, '', text.trimEnd()]),
  )
}

/** Of a recording's replay: the table of each point, and how it was judged. */
function traces(points: readonly ScalePoint[], configs: readonly Configuration[]): string[][] {
  return points.flatMap((point) => {
    if (point.trace === undefined) return []
    const judged = (point.checks ?? []).map(
      ({ name, ok }) => `${name} ${ok === true ? 'held' : ok === false ? 'FAILED' : ok}`,
    )
    return [
      [
        `${named(point, configs)}:`,
        ...block('trace', formatTraceTable(point.trace).split('\n')),
        ...block('checks', flow(judged)),
      ],
    ]
  })
}

function failureLines(point: ScalePoint, configs: readonly Configuration[]): string[] {
  const { failure, bug, hunt } = point
  if (failure === undefined) return []
  return [
    ...wrap(`${named(point, configs)}: ${failure}`),
    ...(bug === undefined ? [] : formatFailure(bug).split('\n').slice(1)),
    ...(hunt === undefined ? [] : [`to hunt it: ${hunt}`]),
  ]
}

function named(point: ScalePoint, configs: readonly Configuration[]): string {
  const label = rowLabel(point.config, configs)
  return `${label === '' ? '' : `${label}, `}${plural(point.cpus, 'CPU')}`
}
