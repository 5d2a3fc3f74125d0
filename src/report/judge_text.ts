// The report of a judgement as text for people: a verdict of one screen for each that was judged, and behind it the
// violation as a hunt prints it. Leaves out what only the JSON has.
import { block, count, flow, percent, plural, table, wrap } from '../base/text.ts'
import type { Bound, Judged, JudgeReport, Memory, ScaleTable } from '../judge/report.ts'
import type { RunReport } from '../run/report.ts'

const KINDS = {
  design: 'page-table-lock design',
  spinlock: 'spinlock',
  scenario: 'scenario',
  patch: 'patch',
} as const

/** Places and scenarios that a line names before it counts the rest. */
const NAMED = 6

/**
 * The whole report, ending in a newline.
 * @param violations of each that was judged, in their order: the text of the hunt that found it
 */
export function formatJudge(report: JudgeReport, violations: readonly (string | undefined)[]): string {
  const { judged, interrupted, verdict, seed, seconds, budget } = report
  const sections = judged.flatMap((one, index) => [
    `${one.name}: ${KINDS[one.kind]}; seed ${seed}, ${seconds} of ${budget} s`,
    judgedLines(one).join('\n'),
    ...(violations[index] === undefined ? [] : [violations[index].trimEnd()]),
    ...one.runs.filter((run) => run.verdict === 'violated').map(failedRun),
  ])
  const names = judged.length === 1 ? '' : `: ${judged.map((one) => `${one.name} ${one.verdict}`).join(', ')}`
  const last = `verdict: ${verdict}${interrupted ? ' (interrupted)' : ''}${names || farAs(judged[0])}`
  return `${[...sections, last].join('\n\n')}\n`
}

/** What a verdict stands on. */
function farAs({ verdict, failed, hunt, violation }: Judged): string {
  if (failed === 'hunt')
    return (
      ` by ${violation?.violation?.check ?? 'progress'} in ${violation?.scenario}, after ` +
      plural(hunt.executions, 'execution')
    )
  if (failed !== undefined) return ` in ${failed === 'run' ? 'a run on real threads' : 'a point of scale'}`
  if (verdict === 'inconclusive') return ', no scenario reached it'
  return ' as far as looked; a longer --budget looks further'
}

function judgedLines(judged: Judged): string[] {
  const { runs, scale, binds, memory } = judged
  return [
    ...huntLines(judged),
    ...(runs.length === 0 ? [] : block('threads', runs.map(runText))),
    ...scale.flatMap((one) => scaleLines(one, judged.name)),
    ...binds.flatMap(bindLines),
    ...(memory === undefined ? [] : block('memory', [memoryText(memory)])),
  ]
}

function huntLines({ hunt, failed }: Judged): string[] {
  const { scenarios, left, refused, places, conflictPairs, fresh } = hunt
  const reaching = scenarios.filter(({ reaches }) => reaches)
  const others = [...new Set(scenarios.filter(({ reaches }) => !reaches).map(({ scenario }) => scenario))]
  const reached = new Set(reaching.map(({ scenario }) => scenario)).size
  const of = places.reached.length + places.unreached.length
  return [
    ...block('hunted', [
      `${plural(reached, 'scenario that reaches it', 'scenarios that reach it')}, ` +
        `${plural(hunt.executions, 'execution')} after ${count(hunt.learning)} that learned, in ` +
        `${hunt.seconds.toFixed(1)} s`,
    ]),
    ...block('covered', [
      `${places.reached.length} of ${of} lines of it, ${count(conflictPairs)} conflicting pairs of source lines, ` +
        `${count(hunt.distinctSchedules)} schedules`,
      ...(fresh.executions === 0
        ? []
        : [
            `the last round met ${plural(fresh.pairs, 'new pair')} in ${plural(fresh.executions, 'execution')} ` +
              `(${(fresh.pairs / fresh.executions).toFixed(3)} an execution)`,
          ]),
    ]),
    ...(places.unreached.length === 0 ? [] : block('not reached', named(places.unreached))),
    ...(left.length === 0 || failed === 'hunt' ? [] : block('no time for', named(left))),
    ...(others.length === 0 ? [] : block('unconcerned', named(others))),
    ...(refused.length === 0
      ? []
      : block(
          'refused',
          refused.flatMap(({ scenario, why }) => wrap(`${scenario}: ${why}`)),
        )),
  ]
}

function named(names: readonly string[]): string[] {
  const more = names.length - NAMED
  return flow([...names.slice(0, NAMED), ...(more > 0 ? [`and ${count(more)} more`] : [])])
}

function runText({ scenario, cpus, seconds, operations, verdict }: RunReport): string {
  return `${scenario}: ${verdict}, ${plural(cpus, 'CPU')}, ${count(operations)} operations in ${seconds.toFixed(1)} s`
}

/** The candidate's throughput, and what part it is of the best of the others. */
function scaleLines({ load, topology, curves }: ScaleTable, name: string): string[] {
  const own = curves.find((curve) => curve.name === name)
  if (own === undefined) return []
  const others = curves.filter((curve) => curve !== own)
  const rows = own.points.map((point) => {
    const best = others
      .flatMap((curve) => curve.points.map((one) => ({ ...one, name: curve.name })))
      .filter(({ cpus, operationsPerSecond }) => cpus === point.cpus && operationsPerSecond > 0)
      .toSorted((left, right) => right.operationsPerSecond - left.operationsPerSecond)[0]
    return [
      String(point.cpus),
      point.failure === undefined ? count(point.operationsPerSecond) : '-',
      ...(best === undefined || point.operationsPerSecond === 0
        ? ['', '', '']
        : [
            percent(point.operationsPerSecond / best.operationsPerSecond),
            best.name,
            count(best.operationsPerSecond),
          ]),
    ]
  })
  const failures = own.points.flatMap(({ cpus, failure, hunt }) => [
    ...(failure === undefined ? [] : wrap(`${plural(cpus, 'CPU')}: ${failure}`)),
    ...(hunt === undefined ? [] : [`to hunt it: ${hunt}`]),
  ])
  const lines = table([[`CPUs`, 'operations/s', 'of best', 'best', 'operations/s'], ...rows])
  const beside = others.length === 0 ? '' : ` beside ${others.map((curve) => curve.name).join(', ')}`
  return block(load, [`on ${topology}${beside}`, ...lines, ...failures])
}

function bindLines({ load, cpus, bound, lock, keys }: Bound): string[] {
  const [best] = keys
  const moved =
    best === undefined || best.ratio < MOVES
      ? keys.length === 0
        ? []
        : [`no key moves that: ${keys.map(({ settings, ratio }) => `${settings} ${ratio} x`).join(', ')}`]
      : [
          `${keys.map(({ settings, ratio }) => `${settings} ${ratio} x`).join(', ')}`,
          ...wrap(`with ${best.settings} ${best.bound}`),
        ]
  return block('binds', [
    ...wrap(`${load}: ${bound}`),
    ...(lock === undefined
      ? []
      : [`waited for most: ${lock.class} (${percent(lock.waiting)}) on ${plural(cpus, 'CPU')}`]),
    ...moved,
  ])
}

/** From so many times as fast on, a key moves what limits. */
const MOVES = 1.1

function memoryText({ machine, table: words, spinlock }: Memory): string {
  return (
    `${words === 0 ? 'nothing' : wordsText(words)} in each table's struct page, ` +
    `${machine === 0 ? 'nothing' : wordsText(machine)} for the machine; a spinlock has ${wordsText(spinlock)}`
  )
}

function wordsText(words: number): string {
  return `${plural(words, 'word')} (${count(4 * words)} bytes)`
}

function failedRun({ scenario, failure, checks, command }: RunReport): string {
  const failed = checks.find((check) => check.ok === false)
  const why = failure?.message ?? `${failed?.name}: ${failed?.detail ?? 'failed'}`
  return `${scenario} on real threads: ${why}\nto run it again: ${command}`
}
