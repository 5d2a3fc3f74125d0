// The interleaving of a violation: which steps matter, their labels (A1 is the first row of CPU 0), in which order they
// must come to make the bug, and the columns. Leaves out what a step says: narrator.ts.
import { isAbsolute, relative } from 'node:path'
import type { CausingStep } from './causes.ts'
import { chooseSteps } from './choose_rows.ts'
import type { DescribedStep } from './narrator.ts'
import { orderPairs } from './order_pairs.ts'

/** A step that is shown. */
export interface Row {
  readonly step: DescribedStep
  /** `A3`: the third row of CPU 0. */
  readonly label: string
  /** Steps of the execution that were left out before it. */
  readonly skipped: number
}

/** One row must come before another of another CPU. */
export interface Constraint {
  readonly before: string
  readonly after: string
  /** What both touch. */
  readonly object: string
}

/** What a row had to do with the violation, as the check knows it. */
export interface LedToIt {
  readonly row: string
  readonly what: string
}

export interface Interleaving {
  readonly rows: readonly Row[]
  /** Rows that led to it, in the order of time. */
  readonly causes: readonly LedToIt[]
  /** Steps left out behind the last row. */
  readonly skippedAtEnd: number
  readonly constraints: readonly Constraint[]
}

/** What is to be shown. */
export interface InterleaveOptions {
  /** All steps. */
  readonly verbose?: boolean
  /** Nobody could go on: what contexts wait for at the end is the failure, not what came of it. */
  readonly deadlock?: boolean
  /** Steps that the check names. */
  readonly causes?: readonly CausingStep[]
}

/**
 * Chooses rows: what the check names as causes, for each change of CPU the pair of steps that it is about, and what is
 * needed to read them. What else led there is left out: page tables that are walked, CPUs that idle, locks.
 * @param steps the steps of the execution, then what contexts wanted when it ended (`pending`)
 */
export function interleave(
  steps: readonly DescribedStep[],
  { verbose = false, deadlock = false, causes = [] }: InterleaveOptions = {},
): Interleaving {
  const pairs = orderPairs(steps, deadlock, causes)
  const kept = verbose ? new Set(steps.keys()) : chooseSteps(steps, pairs, deadlock, causes)
  const counts = new Map<number, number>()
  const labels = new Map<number, string>()
  const rows: Row[] = []
  let last = -1
  for (const [index, step] of steps.entries()) {
    if (!kept.has(index)) continue
    const nth = (counts.get(step.cpu) ?? 0) + 1
    counts.set(step.cpu, nth)
    const label = `${cpuLetter(step.cpu)}${nth}`
    labels.set(index, label)
    rows.push({ step, label, skipped: index - last - 1 })
    last = index
  }
  const constraints = pairs.map(([before, after]) => ({
    before: labels.get(before) ?? '?',
    after: labels.get(after) ?? '?',
    object: sharedObject(steps[before], steps[after]),
  }))
  return {
    rows,
    causes: causes.map(({ index, what }) => ({ row: labels.get(index) ?? '?', what })),
    skippedAtEnd: steps.length - 1 - last,
    constraints,
  }
}

/** A, B, … Z, then C26, C27, … */
export function cpuLetter(cpu: number): string {
  return cpu < 26 ? String.fromCharCode(65 + cpu) : `C${cpu}.`
}

/**
 * The constraints as text, those that follow one another as a chain: `A3 before B2 before A4 (page 0x1a3 _refcount)`.
 */
export function constraintText(constraints: readonly Constraint[]): string[] {
  const chains: Constraint[][] = []
  for (const constraint of constraints) {
    const last = chains.at(-1)
    if (last !== undefined && last.at(-1)?.after === constraint.before) last.push(constraint)
    else chains.push([constraint])
  }
  return chains.map((chain) => {
    const one = chain.every(({ object }) => object === chain[0].object)
    const parts = chain.map(({ after, object }) => ` before ${after}${one ? '' : ` (${object})`}`)
    return `${chain[0].before}${parts.join('')}${one ? ` (${chain[0].object})` : ''}`
  })
}

function sharedObject(before: DescribedStep, after: DescribedStep): string {
  return after.words === 1 || before.words > 1 ? after.object : before.object
}

/** Width of the page, and of a column when there is room. */
const PAGE = 118
const COLUMN = 56

/** Columns, one for each CPU; each row is a place and, below it, what was done there. */
export function formatColumns({ rows, skippedAtEnd }: Interleaving, cpus: number): string[] {
  const left = rows.map((row) =>
    [placeOf(row), row.step.text].map((text, line) => text.length + (line === 0 ? 5 : 7)),
  )
  const widest = Math.max(20, ...left.flat())
  const column = Math.min(widest + 2, COLUMN, Math.max(18, Math.floor(PAGE / cpus)))
  const lines = [
    Array.from({ length: cpus }, (_, cpu) => `CPU ${cpu}`.padEnd(column))
      .join('')
      .trimEnd(),
    Array.from({ length: cpus }, () => '-'.repeat(column - 2).padEnd(column))
      .join('')
      .trimEnd(),
  ]
  for (const row of rows) {
    const margin = ' '.repeat(row.step.cpu * column)
    if (row.skipped > 0) lines.push(`${' '.repeat(row.step.cpu * column)}  … ${stepCount(row.skipped)}`)
    lines.push(`${margin}${row.label.padEnd(4)} ${placeOf(row)}`, `${margin}     ${row.step.text}`)
  }
  if (skippedAtEnd > 0) lines.push(`  … ${stepCount(skippedAtEnd)}`)
  return lines
}

function placeOf({ step }: Row): string {
  const mark = step.pending === undefined ? '' : step.pending === 'waiting' ? '[waits] ' : '[next] '
  const irq = step.irq ? '[irq] ' : ''
  return (
    `${mark}${irq}${step.helper === undefined ? '' : `${step.helper} in `}${step.function} ` +
    `${shortFile(step.file)}:${step.line}`
  )
}

/** Kernel files as in Linux, from below the source folder; a user's from the folder in which the command runs. */
export function shortFile(file: string): string {
  if (!isAbsolute(file)) return file.replace(/^src\/kernel\//, '')
  const path = relative('', file)
  return path.startsWith('..') ? file : path
}

function stepCount(steps: number): string {
  return `${steps} step${steps === 1 ? '' : 's'}`
}
