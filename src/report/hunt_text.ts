// The report of a hunt as text for people. A violation: the kernel's report, the interleaving in columns, the order
// that makes the bug, each CPU at the end, and last the command that replays it. Leaves out what only the JSON has.
import type { Configuration } from '../kbuild/config.ts'
import type { EndState, Description } from '../hunt/violation.ts'
import { interleavingOf } from '../hunt/violation.ts'
import type { Unmet } from '../hunt/expectations.ts'
import type { HuntedForm, HuntReport, ShrinkReport, ViolationReport } from '../hunt/report.ts'
import { covered } from '../hunt/reached.ts'
import type { Interleaving } from '../hunt/interleaving.ts'
import { constraintText, cpuLetter, formatColumns } from '../hunt/interleaving.ts'
import { callTrace, cpuLine } from '../hunt/kernel_formats.ts'
import { kernelLines } from './kernel_lines.ts'
import { block, count, flow, plural, wrap } from '../base/text.ts'

/** The whole report, ending in a newline. `description`: by violation, in the report's order. */
export function formatHunt(
  report: HuntReport,
  description: readonly (Description | undefined)[],
  settings: readonly string[],
  verbose = false,
): string {
  const violations = report.violations ?? (report.violation ? [report.violation] : [])
  const sections = [
    heading(report, settings),
    figures(report),
    report.notes.flatMap((note) => wrap(note)),
    [verdictLine(report)],
    ...violations.map((violation, index) => violationLines(violation, description[index], verbose)),
    ...(report.verdict !== 'violated' && report.interrupted ? [[`to run it again: ${report.command}`]] : []),
  ]
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`
}

/** A violation by itself: what `mmtorture replay` prints. */
export function formatViolation(
  violation: ViolationReport,
  description: Description | undefined,
  verbose: boolean,
): string {
  return `${violationLines(violation, description, verbose).join('\n')}\n`
}

/** Settings that matter in a heading. */
export function headingSettings(config: Configuration, changes: readonly string[]): string[] {
  return [...new Set([`PTLOCK=${config.PTLOCK}`, `SPINLOCK=${config.SPINLOCK}`, ...changes])]
}

function heading(report: HuntReport, settings: readonly string[]): string[] {
  const { scenario, cpus, operations, pages, seed, scheduler, workers } = report
  return [
    `${scenario}: ${plural(cpus, 'CPU')}, ${plural(operations, 'operation')} a task, ${plural(pages, 'page')}; ` +
      `scheduler ${scheduler}, seed ${seed}${workers === 1 ? '' : `, ${workers} workers`}`,
    ...flow([...settings]),
    ...kernelLines(report),
  ]
}

function figures(report: HuntReport): string[] {
  const { coverage, checks } = report
  const atLeast = report.atLeast ? 'at least ' : ''
  const retries = Object.entries(report.retries).map(([name, value]) => `${name} ${count(value)}`)
  const mm = coverage['src/kernel/mm']
  return [
    ...block('executions', [
      `${count(report.executions)} in ${report.seconds.toFixed(2)} s, ${count(report.executionsPerSecond)}/s` +
        (report.exhausted ? ': all schedules that this scheduler has' : ''),
    ]),
    ...(report.forms === undefined ? [] : block('forms', report.forms.map(formText))),
    ...block('steps', [`${count(report.steps)}, ${count(report.stepsPerSecond)}/s`]),
    ...block(
      'distinct',
      flow([
        `${atLeast}${count(report.distinctSchedules)} schedules`,
        ...(report.distinctStates === undefined
          ? []
          : [`${atLeast}${count(report.distinctStates)} states at the end`]),
        `${count(report.conflictPairs)} conflicting pairs of source lines`,
      ]),
    ),
    ...block(
      'reached',
      flow([
        `${covered(report.lines)} of kernel and scenario`,
        ...(mm === undefined ? [] : [`${covered(mm)} of mm`]),
        `${count(report.sharedWords)} shared words`,
      ]),
    ),
    ...(report.notReached.length === 0 ? [] : block('not reached', flow(report.notReached))),
    ...(retries.length === 0 ? [] : block('retries', flow(retries))),
    ...block('checks', [
      ...flow([`on: ${checks.on[0] ?? 'none'}`, ...checks.on.slice(1)]),
      ...(checks.off.length === 0 ? [] : flow([`off: ${checks.off[0]}`, ...checks.off.slice(1)])),
    ]),
  ]
}

function verdictLine(report: HuntReport): string {
  const { verdict, interrupted, executions, learning } = report
  // Nothing was hunted yet, so there is no verdict.
  if (interrupted && verdict === 'inconclusive' && executions === 0)
    return `verdict: interrupted while learning, after ${plural(learning, 'execution')} in which nothing was found`
  return `verdict: ${verdict}${interrupted ? ' (interrupted)' : ''}${ofViolations(report)}`
}

function ofViolations({ violations, violation, unmet, executions, forms, exhausted }: HuntReport): string {
  if (violations !== undefined && violations.length > 0)
    return `, ${violations.length} distinct violation${violations.length === 1 ? '' : 's'}`
  if (violation === undefined && unmet !== undefined)
    return ` by progress: ${unmet.map(unmetText).join('; ')}`
  if (violation === undefined) {
    const all = forms?.reduce((sum, form) => sum + (form.executions ?? 0), 0) ?? executions
    const inForms = forms === undefined ? '' : ` in ${plural(forms.length, 'form')}`
    // Tasks draw the same in all executions of an exhaustive search.
    return `, ${count(all)} executions${inForms}${exhausted ? ': all schedules of one set of draws' : ''}`
  }
  const when = executionText(violation.execution)
  return ` by ${violation.check} ${when} after ${violation.seconds.toFixed(2)} s`
}

/** `3 CPUs, 8 operations, 3 pages: held, 62 executions after 72 that learned`. */
function formText({
  cpus,
  operations,
  pages,
  verdict,
  executions = 0,
  learning = 0,
  refused,
}: HuntedForm): string {
  const sizes = [plural(cpus, 'CPU'), plural(operations, 'operation'), plural(pages, 'page')].join(', ')
  const hunted = `${verdict}, ${plural(executions, 'execution')} after ${count(learning)} that learned`
  return `${sizes}: ${refused ?? hunted}`
}

/** `pgmigrate_success 0 times, which the scenario expects once in 20 executions`. */
export function unmetText({ event, count: times, in: executions }: Unmet): string {
  return `${event} ${plural(times, 'time')}, which the scenario expects once in ${plural(executions, 'execution')}`
}

/** Those that learn come before execution 0, and have numbers below it: the same of a seed in every hunt. */
function executionText(execution: number): string {
  return `${execution < 0 ? 'while learning, ' : ''}in execution ${count(execution)}`
}

function violationLines(
  violation: ViolationReport,
  description: Description | undefined,
  verbose: boolean,
): string[] {
  const sections: string[][] = [violationHeading(violation), [...violation.report]]
  if (description !== undefined) {
    const interleaving = interleavingOf(description, verbose)
    const cpus = 1 + Math.max(0, ...description.steps.map((step) => step.cpu))
    sections.push(
      violation.shrunk ? shrunkLines(violation.shrunk, violation.check) : [],
      drawLines(violation.draws, verbose),
      formatColumns(interleaving, cpus),
      causeLines(interleaving.causes),
      orderLines(interleaving.constraints),
      description.atRest
        ? ['At the end all CPUs had left the kernel.', ...exitingLines(description.cpus)]
        : description.cpus.flatMap((state) => endLines(state)),
    )
  }
  // Without a replay file there is none; a note says why.
  if (violation.command !== undefined) sections.push([`to replay it: ${violation.command}`])
  return sections
    .filter((section) => section.length > 0)
    .flatMap((section, index) => (index === 0 ? section : ['', ...section]))
}

function violationHeading({ check, execution, count: times }: ViolationReport): string[] {
  const seen = times > 1 ? `, seen ${count(times)} times` : ''
  const when = executionText(execution)
  return [`violation of ${check} ${when}${seen}`]
}

function shrunkLines({ sizes, steps, switches, necessary }: ShrinkReport, check: string): string[] {
  const { cpus, operations, pages } = sizes
  const first =
    `Shrunk to ${plural(switches, 'switch', 'switches')}${ofInterrupts(necessary, cpus)} in ` +
    `${plural(steps, 'step')}: ` +
    `${plural(cpus, 'CPU')}${operations === 0 ? '' : `, ${plural(operations, 'operation')} a task`}` +
    `${pages === 0 ? '' : `, ${plural(pages, 'page')}`}.`
  return [first, ...proofLines(necessary, cpus, check)]
}

type Proofs = ShrinkReport['necessary']

/** ` (2 between CPUs, 2 interrupts)` where interrupts are among the switches. */
function ofInterrupts(necessary: Proofs, cpus: number): string {
  const contexts = necessary.length === 0 ? [] : [necessary[0].from, ...necessary.map(({ to }) => to)]
  const ran = contexts.filter((context) => context < cpus)
  const interrupts = contexts.length - ran.length
  if (interrupts === 0) return ''
  const between = ran.filter((context, nth) => nth > 0 && context !== ran[nth - 1]).length
  return ` (${between} between CPUs, ${plural(interrupts, 'interrupt')})`
}

/** What happens without each switch; those in a row that come by themselves are one line. */
function proofLines(necessary: Proofs, cpus: number, check: string): string[] {
  // Who is not stopped there runs on until it has to wait.
  const free = necessary.map(({ reason, without }) => reason === 'waiting' || without === check)
  return necessary.flatMap((one, index) => {
    const what =
      `witch ${index + 1} (${contextName(one.from, cpus)} to ${contextName(one.to, cpus)} after step ` +
      `${one.step})`
    if (!free[index])
      return `Without s${what} ${one.without === 'held' ? 'everything holds' : `${one.without} fails`}.`
    if (free[index - 1]) return []
    const behind = free.indexOf(false, index)
    const last = behind < 0 ? free.length : behind
    return last === index + 1
      ? `S${what} comes by itself, here or later.`
      : `Switches ${index + 1} ${last === index + 2 ? 'and' : 'to'} ${last} come by themselves, here or later.`
  })
}

/** What tasks drew at random; without `verbose` only as far as it is not 0. */
function drawLines(draws: ViolationReport['draws'], verbose: boolean): string[] {
  return draws.flatMap(({ pid, values }) => {
    const shown = verbose ? values : values.slice(0, values.findLastIndex((value) => value !== 0) + 1)
    return shown.length === 0 ? [] : wrap(`Task ${pid} draws ${shown.join(', ')}.`)
  })
}

function contextName(context: number, cpus: number): string {
  return context < cpus ? `CPU ${context}` : `the interrupt of CPU ${context - cpus}`
}

function causeLines(causes: Interleaving['causes']): string[] {
  if (causes.length === 0) return []
  return ['What led to it:', ...causes.map(({ row, what }) => ` ${row} ${what}`)]
}

function orderLines(constraints: ViolationReport['constraints']): string[] {
  if (constraints.length === 0) return []
  return ['The order that makes it:', ...constraintText(constraints).map((text) => ` ${text}`)]
}

/** Who was at it when something failed while the tasks exit, which one CPU does alone. */
function exitingLines(cpus: readonly EndState[]): string[] {
  return cpus.filter(({ stack }) => stack.length > 0).flatMap((state) => endLines(state))
}

function endLines(state: EndState): string[] {
  const { cpu, failed, holds, waitsFor, stack } = state
  const how = failed ? ' [here]' : state.state === 'in the kernel' ? '' : ` [${state.state}]`
  return [
    `${cpuLine(state)} (${cpuLetter(cpu)})${how}`,
    ...(waitsFor === undefined ? [] : [` waits for ${waitsFor}`]),
    ...(holds.length === 0 ? [] : [` holds ${holds.join(', ')}`]),
    ...callTrace(stack).map((line) => ` ${line}`),
  ]
}
