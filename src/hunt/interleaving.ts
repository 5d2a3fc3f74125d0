// The interleaving of a violation: which steps matter, their labels (A1 is the first row of CPU 0), in which order they
// must come to make the bug, and the columns. Leaves out what a step says: narrator.ts.
import { isAbsolute, relative } from 'node:path'
import { Kind } from '../step/kinds.ts'
import type { CausingStep } from './causes.ts'
import type { DescribedStep } from './narrator.ts'

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

/** Rows of the short form are not many more. */
const ENOUGH = 40
/** With fewer rows, and where nothing says what it is about, conflicts on other words are shown too. */
const LITTLE = 12
/** Steps on either side of a change of CPU among which the pair that it is about is looked for. */
const NEAR = 400
/** Changes of CPU that are looked at; a schedule that was shrunk has fewer. */
const SWITCHES = 40

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

type Pair = [before: number, after: number]

/** Whether a pair may be of the step at an index. */
type Wanted = (index: number) => boolean

/** The words that the violation is about: the one that the failed step touched and the causes', but for locks. */
function aboutWords(
  steps: readonly DescribedStep[],
  deadlock: boolean,
  causes: readonly CausingStep[],
): Set<number> {
  const failed = deadlock ? undefined : steps[lastPerformed(steps)]
  const named = [...causes.map(({ index }) => steps[index]), ...(failed === undefined ? [] : [failed])]
  return new Set(named.filter(({ housekeeping }) => !housekeeping).map(({ address }) => address))
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

/** Whether two steps of two CPUs touch a common word that one of them writes. */
export function conflict(one: DescribedStep, other: DescribedStep): boolean {
  if (one.cpu === other.cpu) return false
  if (one.kind === Kind.NOTIFY || other.kind === Kind.NOTIFY) return one.address === other.address
  const writes = (step: DescribedStep, from: number, words: number): boolean =>
    step.writes && overlap(step.address, step.words, from, words)
  const touches = (step: DescribedStep, other: DescribedStep): boolean =>
    writes(step, other.address, other.words) ||
    (other.from !== undefined && writes(step, other.from, other.words))
  return touches(one, other) || touches(other, one)
}

function overlap(first: number, firstWords: number, second: number, secondWords: number): boolean {
  return first < second + secondWords && second < first + firstWords
}

function sharedObject(before: DescribedStep, after: DescribedStep): string {
  return after.words === 1 || before.words > 1 ? after.object : before.object
}

/** Positions at which another context goes on. */
function switchesOf(steps: readonly DescribedStep[]): number[] {
  const at: number[] = []
  for (let i = 1; i < steps.length; i++)
    if (steps[i].pending === undefined && steps[i].context !== steps[i - 1].context) at.push(i)
  return at
}

/**
 * For each change of CPU the pair of steps that it is about: one of the CPU that left before one of the CPU that came,
 * which conflict. What the violation is about before other data, data before locks; the change was made just
 * behind the one or just before the other. In a deadlock who waits for a lock at the end says by itself what the changes were about; else a wait is what came of the failure,
 * and counts only where there is nothing else.
 */
function orderPairs(
  steps: readonly DescribedStep[],
  deadlock: boolean,
  causes: readonly CausingStep[],
): Pair[] {
  const causing = new Set(causes.map(({ index }) => index))
  const about = aboutWords(steps, deadlock, causes)
  const waits = waitPairs(steps)
  const performed = lastPerformed(steps) + 1
  const data: Wanted = (at) => !steps[at].housekeeping && (!isWalk(steps[at]) || causing.has(at))
  const wanted: Wanted[] = [(at) => about.has(steps[at].address) && data(at), data]
  const pairs = deadlock ? [...waits] : acrossSwitches(steps.slice(0, performed), [], wanted)
  if (deadlock) pairs.push(...acrossSwitches(steps, waits, wanted))
  if (pairs.length === 0) pairs.push(...waits)
  if (pairs.length === 0) pairs.push(...acrossSwitches(steps, [], [() => true]))
  const failed = performed - 1
  const met = failed < 0 ? -1 : lastConflicts(steps)[failed]
  if (pairs.length === 0 && met >= 0) pairs.push([met, failed])
  return pairs.toSorted((one, other) => one[1] - other[1] || one[0] - other[0])
}

/** Who waits at the end waits for what somebody else did. */
function waitPairs(steps: readonly DescribedStep[]): Pair[] {
  const pairs: Pair[] = []
  for (const [index, step] of steps.entries()) {
    if (step.pending !== 'waiting') continue
    const before = steps.findLastIndex((other) => other.pending === undefined && conflict(other, step))
    if (before >= 0) pairs.push([before, index])
  }
  return pairs
}

/**
 * The pairs of the switches that no lock waited for (`waits`) explains, without those that are in `waits`.
 * @param wanted which words a pair may be on, the best first
 */
function acrossSwitches(
  steps: readonly DescribedStep[],
  waits: readonly Pair[],
  wanted: readonly Wanted[],
): Pair[] {
  const pairs: Pair[] = []
  const known = new Set(waits.map(String))
  for (const change of changesOf(steps).slice(-SWITCHES)) {
    const crossed = waits.some(
      ([before, after]) =>
        before <= change.left && steps[before].cpu === steps[change.left].cpu && waitsForLock(steps[after]),
    )
    if (crossed) continue
    // An interrupt is about what it does, not about what its CPU does before and behind it.
    const anywhere = { ...change, start: 0, end: steps.length }
    const places = steps[change.left].irq || steps[change.at].irq ? [change] : [change, anywhere]
    const pair = firstOf(
      wanted.flatMap((fits) => places.map((place) => (): Pair | undefined => pairAcross(steps, place, fits))),
    )
    if (pair === undefined || known.has(String(pair))) continue
    known.add(String(pair))
    pairs.push(pair)
  }
  return pairs
}

/** A change of context: who leaves takes steps `start` to `left`, who comes those from `at` to before `end`. */
interface Change {
  readonly start: number
  readonly left: number
  readonly at: number
  readonly end: number
}

/**
 * The changes from one task's context to another's, past the interrupts between them, and those to interrupts and back,
 * in the order of time.
 */
function changesOf(steps: readonly DescribedStep[]): Change[] {
  const bounds = [0, ...switchesOf(steps), steps.length]
  const segments = bounds.slice(1).map((end, nth) => ({ first: bounds[nth], end }))
  const ran = segments.filter(({ first, end }) => first < end)
  const tasks: { first: number; end: number }[] = []
  for (const segment of ran.filter(({ first }) => !steps[first].irq)) {
    const last = tasks.at(-1)
    if (last !== undefined && steps[last.first].context === steps[segment.first].context)
      last.end = segment.end
    else tasks.push({ ...segment })
  }
  const change = (one: { first: number; end: number }, other: { first: number; end: number }): Change => ({
    ...{ start: one.first, left: one.end - 1, at: other.first, end: other.end },
  })
  const among = (all: typeof tasks): Change[] => all.slice(1).map((next, nth) => change(all[nth], next))
  const interrupts = among(ran).filter(({ left, at }) => steps[left].irq || steps[at].irq)
  return [...among(tasks), ...interrupts].toSorted((one, other) => one.at - other.at)
}

function firstOf<Value>(ways: readonly (() => Value | undefined)[]): Value | undefined {
  for (const way of ways) {
    const value = way()
    if (value !== undefined) return value
  }
  return undefined
}

function waitsForLock({ kind, housekeeping }: DescribedStep): boolean {
  return kind === Kind.LOCK || housekeeping
}

function lastPerformed(steps: readonly DescribedStep[]): number {
  return steps.findLastIndex((step) => step.pending === undefined)
}

function pairAcross(
  steps: readonly DescribedStep[],
  { start, left, at, end }: Change,
  wanted: Wanted,
): Pair | undefined {
  const leaving = steps[left].cpu
  const coming = steps[at].cpu
  const failed = lastPerformed(steps)
  let best: Pair | undefined
  let bestNear = Infinity
  let bestFar = Infinity
  let rankBefore = 0
  for (let before = left; before >= start; before--) {
    if (steps[before].cpu !== leaving) continue
    if (!wanted(before)) {
      rankBefore++
      continue
    }
    if (rankBefore > NEAR) break
    let rankAfter = 0
    for (let after = at; after < end; after++) {
      const step = steps[after]
      if (step.cpu !== coming) continue
      if (rankAfter > NEAR && after !== failed) continue
      if (wanted(after) && conflict(steps[before], step)) {
        // Of what the failed step met, the write says more than the reads behind it.
        const read = after === failed && !steps[before].writes
        const near = read ? 0.75 : Math.min(rankBefore, rankAfter, after === failed ? 0.5 : Infinity)
        const far = rankBefore + rankAfter + (read ? steps.length : 0)
        if (near < bestNear || (near === bestNear && far < bestFar)) {
          best = [before, after]
          bestNear = near
          bestFar = far
        }
        break
      }
      rankAfter++
    }
    rankBefore++
  }
  return best
}

function chooseSteps(
  steps: readonly DescribedStep[],
  pairs: readonly Pair[],
  deadlock: boolean,
  causes: readonly CausingStep[],
): Set<number> {
  const kept = new Set<number>()
  const keep = (index: number): void => {
    if (index >= 0 && index < steps.length) kept.add(index)
  }
  for (const [index, step] of steps.entries()) if (step.pending !== undefined) keep(index)
  const performed = steps.length - kept.size
  // Where nothing says what a change of CPU is about, the steps on either side of it may.
  for (const at of switchesOf(steps))
    if (!pairs.some(([before, after]) => before < at && at <= after))
      for (const edge of [at - 1, at]) if (!steps[edge].housekeeping && !isWalk(steps[edge])) keep(edge)
  for (const pair of pairs) pair.forEach(keep)
  for (const { index } of causes) keep(index)
  const known = pairs.length > 0 || causes.length > 0
  const met = lastConflicts(steps)
  // The last step of a deadlock is only where it ended.
  if (!deadlock || !known) {
    keep(performed - 1)
    const explained = pairs.some(([, after]) => after === performed - 1)
    if (!explained && !(known && steps[performed - 1]?.housekeeping)) keep(met[performed - 1] ?? -1)
  }
  // Conflicts that were not yet shown, the latest first: each CPU's of each word once in each direction. Those on what
  // the pairs and the failed step touch; others only to fill a short table.
  const about = new Set([...kept].map((index) => steps[index].address))
  for (const index of commonLocks(steps, pairs)) if (kept.size < ENOUGH) keep(index)
  const shown = new Set<string>()
  for (const most of known ? [ENOUGH] : [ENOUGH, LITTLE])
    for (let after = performed - 1; after >= 0 && kept.size < most; after--) {
      const step = steps[after]
      const before = met[after]
      if (before < 0 || step.housekeeping || (most === ENOUGH && !about.has(step.address))) continue
      if (isWalk(step)) continue
      const key = `${step.address} ${step.cpu} ${steps[before].cpu} ${step.writes}`
      if (shown.has(key)) continue
      shown.add(key)
      keep(before)
      keep(after)
    }
  // What leads from one to the next, if there is room: neighbours on the same object.
  for (const index of [...kept]) {
    if (kept.size >= ENOUGH) break
    for (const near of [index - 1, index + 1]) {
      const step = steps[near]
      if (step === undefined || step.context !== steps[index].context || step.housekeeping) continue
      if (step.address >> 4 === steps[index].address >> 4) keep(near)
    }
  }
  return kept
}

/** A read of the hardware's walk: what it found shows in what the CPU does next. */
function isWalk({ function: name, writes }: DescribedStep): boolean {
  return name === 'tlb_walk' && !writes
}

/**
 * Where the two steps of a pair were made under the same lock: the steps that took it, and the one that let it go
 * between them. The pair alone looks as if its order could be any.
 */
function commonLocks(steps: readonly DescribedStep[], pairs: readonly Pair[]): number[] {
  const found: number[] = []
  for (const [before, after] of pairs) {
    const first = heldAt(steps, before)
    for (const [lock, taken] of heldAt(steps, after)) {
      const other = first.get(lock)
      if (other === undefined) continue
      const released = steps.findIndex(
        (step, index) =>
          index > before &&
          step.kind === Kind.UNLOCK &&
          step.address === lock &&
          step.cpu === steps[before].cpu,
      )
      found.push(other, taken, ...(released >= 0 && released < after ? [released] : []))
    }
  }
  return found
}

/** The abstract spinlocks that the CPU of step `at` holds there, each with the step that took it. */
function heldAt(steps: readonly DescribedStep[], at: number): Map<number, number> {
  const held = new Map<number, number>()
  for (let index = 0; index < at; index++) {
    const { cpu, kind, address, old, pending } = steps[index]
    if (cpu !== steps[at].cpu || pending !== undefined) continue
    if (kind === Kind.LOCK || (kind === Kind.TRYLOCK && old === 0)) held.set(address, index)
    if (kind === Kind.UNLOCK) held.delete(address)
  }
  return held
}

/** For each step the last one before it, of another CPU, that it conflicts with, walks left out; -1: none. */
function lastConflicts(steps: readonly DescribedStep[]): Int32Array {
  const met = new Int32Array(steps.length).fill(-1)
  /** By word: the last access and the last write of each CPU. */
  const words = new Map<number, { readonly accesses: number[]; readonly writes: number[] }>()
  for (const [index, step] of steps.entries()) {
    const writes = step.writes || step.kind === Kind.NOTIFY
    const visit = (word: number, written: boolean): void => {
      const known = words.get(word) ?? { accesses: [], writes: [] }
      words.set(word, known)
      const last = written ? known.accesses : known.writes
      last.forEach((at, cpu) => {
        if (cpu !== step.cpu && at > met[index]) met[index] = at
      })
      if (step.pending !== undefined || isWalk(step)) return
      known.accesses[step.cpu] = index
      if (written) known.writes[step.cpu] = index
    }
    for (let i = 0; i < step.words; i++) {
      visit(step.address + i, writes)
      if (step.from !== undefined) visit(step.from + i, false)
    }
  }
  return met
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
  return `${mark}${irq}${step.helper === undefined ? '' : `${step.helper} in `}${step.function} ${shortFile(step.file)}:${step.line}`
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
