// What the clock's figures say of one point of a curve, in the kernel's words: locks by class, lines by field, and what
// bounds it. Times in nanoseconds. Leaves out running the point, and its form.
import type { ClockFigures, LockUse } from '../machine/clock/figures.ts'
import { LINE_SHIFT } from '../machine/clock/lines.ts'
import { LOCK_CLASSES, lockClassAt, type LockClassSymbol } from '../inspect/lock_classes.ts'
import type { LockStatLine } from '../inspect/lock_stat.ts'
import { nameAddress, nameKind } from '../inspect/names.ts'
import type { MachineView } from '../inspect/symbols.ts'

/** A class of locks. Waits are from wanting the lock to having it; those in waittime found it taken. */
export interface LockShare extends LockStatLine {
  /** Shares of all CPUs' time, 0 to 1. */
  readonly waiting: number
  readonly holding: number
  /** The lock of the class that was waited for longest, and its share of the class's waiting. */
  readonly most: string
  readonly mostShare: number
}

/** A line, by the field that it begins with or that CPUs met at. */
export interface LineShare {
  readonly name: string
  /** Share of all CPUs' time that went by while a CPU waited for the line. */
  readonly share: number
  /** Times it went from one CPU to another, for each operation. */
  readonly transfersPerOperation: number
}

/** Shares of all CPUs' time, 0 to 1; together 1. */
export interface TimeShares {
  readonly running: number
  /** For locks. */
  readonly waiting: number
  /** For lines outside of waits for locks: transfers, memory, TLB flushes. */
  readonly stalled: number
  readonly idle: number
}

export interface ClockPoint {
  readonly operations: number
  readonly operationsPerSecond: number
  readonly faultsPerSecond: number
  readonly simulatedSeconds: number
  readonly accesses: number
  readonly time: TimeShares
  readonly transfersPerOperation: number
  readonly upgradesPerOperation: number
  readonly llcFetchesPerOperation: number
  readonly memoryFetchesPerOperation: number
  readonly interruptsPerOperation: number
  /** The class that was waited for longest comes first. */
  readonly locks: readonly LockShare[]
  /** The lines that cost most, outside of waits for locks. */
  readonly lines: readonly LineShare[]
  /** A sentence. */
  readonly bound: string
}

/** Lines that a point tells of. */
const MOST_LINES = 8
const PS_PER_NS = 1000
const PS_PER_S = 1e12

/** What `figures` say, of a window of `window` picoseconds on `cpus` CPUs. */
export function clockPoint(
  view: MachineView,
  figures: ClockFigures,
  faults: number,
  cpus: number,
  window: number,
): ClockPoint {
  const total = Math.max(1, window * cpus)
  const { operations } = figures
  const each = (count: number): number => round(operations === 0 ? 0 : count / operations)
  const perSecond = (count: number): number => Math.round((count / Math.max(1, window)) * PS_PER_S)
  const idleLines = linesOfIdle(view, cpus)
  const idle = sum([...idleLines].map((line) => figures.stallOutside[line])) / total
  const locks = lockShares(view, figures, total)
  const outside = sum(figures.stallOutside) / total - idle
  // A semaphore's slow path waits for its spinlock inside: that is counted in both.
  const inside = figures.locks
    .filter((use) => !isInner(view, use))
    .reduce((all, use) => all + use.waitTotal, 0)
  const waiting = Math.min(1 - idle, inside / total)
  const time = {
    running: round(Math.max(0, 1 - idle - waiting - outside)),
    waiting: round(waiting),
    stalled: round(outside),
    idle: round(idle),
  }
  const lines = lineShares(view, figures, total, idleLines)
  return {
    operations,
    operationsPerSecond: perSecond(operations),
    faultsPerSecond: perSecond(faults),
    simulatedSeconds: window / PS_PER_S,
    accesses: figures.accesses,
    time,
    transfersPerOperation: each(figures.transfers),
    upgradesPerOperation: each(figures.upgrades),
    llcFetchesPerOperation: each(figures.llcFetches),
    memoryFetchesPerOperation: each(figures.memoryFetches),
    interruptsPerOperation: each(figures.interrupts),
    locks,
    lines,
    bound: boundSentence(view, figures, total, cpus, time, idleLines),
  }
}

/** The lines that CPUs wait on while they have no task. */
function linesOfIdle({ symbols }: MachineView, cpus: number): ReadonlySet<number> {
  const event = (cpu: number): number => symbols['RQ'] + cpu * symbols['RQ_WORDS'] + symbols['rq$event']
  return new Set(Array.from({ length: cpus }, (_, cpu) => event(cpu) >> LINE_SHIFT))
}

function lockShares(view: MachineView, figures: ClockFigures, total: number): LockShare[] {
  const classes = new Map<string, LockUse[]>()
  for (const use of figures.locks) {
    const name = className(view, use)
    classes.set(name, [...(classes.get(name) ?? []), use])
  }
  return [...classes]
    .map(([name, uses]) => lockShare(view, name, uses, total))
    .toSorted((left, right) => right.waiting - left.waiting || right.acquisitions - left.acquisitions)
}

function lockShare(view: MachineView, name: string, uses: readonly LockUse[], total: number): LockShare {
  const add = (field: keyof LockUse): number => uses.reduce((all, use) => all + Number(use[field]), 0)
  const most = uses.reduce((best, use) => (use.waitTotal > best.waitTotal ? use : best))
  const contended = uses.filter((use) => use.contentions > 0)
  const taken = uses.filter((use) => use.holdTotal > 0)
  const waitTotal = add('waitTotal')
  return {
    class: name,
    acquisitions: add('acquisitions'),
    acqBounces: add('acqBounces'),
    contentions: add('contentions'),
    conBounces: add('conBounces'),
    waittime: times(
      contended.map((use) => use.waitMin),
      contended.map((use) => use.waitMax),
      add('waitContended'),
      add('contentions'),
    ),
    holdtime: times(
      taken.map((use) => use.holdMin),
      taken.map((use) => use.holdMax),
      add('holdTotal'),
      add('acquisitions'),
    ),
    waiting: round(waitTotal / total),
    holding: round(add('holdTotal') / total),
    most: lockName(view, most.lock),
    mostShare: round(waitTotal === 0 ? 0 : most.waitTotal / waitTotal),
  }
}

function times(
  least: readonly number[],
  greatest: readonly number[],
  total: number,
  count: number,
): LockShare['waittime'] {
  const ns = (ps: number): number => Math.round(ps / PS_PER_NS)
  return {
    min: least.length === 0 ? 0 : ns(Math.min(...least)),
    max: greatest.length === 0 ? 0 : ns(Math.max(...greatest)),
    total: ns(total),
    average: count === 0 ? 0 : ns(total / count),
  }
}

function className(view: MachineView, use: LockUse): string {
  const symbol = lockClassAt(view, use.lock)
  if (symbol === undefined) return 'user'
  const { name, mode } = LOCK_CLASSES[symbol as LockClassSymbol]
  return mode === undefined ? name : `${name}-${use.reading ? 'R' : 'W'}`
}

/** "mm 1 page_table_lock": a lock by the field that holds it. */
function lockName(view: MachineView, lock: number): string {
  return nameAddress(view, lock).replace(/\.count$/, '')
}

/** Whether the lock is part of another one, whose waits have its waits in them. */
function isInner(view: MachineView, use: LockUse): boolean {
  return lockClassAt(view, use.lock) === 'LOCK_CLASS_rwsem_wait_lock'
}

function lineShares(
  view: MachineView,
  figures: ClockFigures,
  total: number,
  idleLines: ReadonlySet<number>,
): LineShare[] {
  const kinds = new Map<string, { stall: number; moved: number }>()
  figures.stallOutside.forEach((stall, line) => {
    if (idleLines.has(line) || (stall === 0 && figures.moved[line] === 0)) return
    const name = nameKind(view, line << LINE_SHIFT)
    const kind = kinds.get(name) ?? { stall: 0, moved: 0 }
    kinds.set(name, { stall: kind.stall + stall, moved: kind.moved + figures.moved[line] })
  })
  return [...kinds]
    .toSorted((left, right) => right[1].stall - left[1].stall)
    .slice(0, MOST_LINES)
    .map(([name, { stall, moved }]) => ({
      name,
      share: round(stall / total),
      transfersPerOperation: round(moved / Math.max(1, figures.operations)),
    }))
}

/** Below this share of the time nothing is said to bound the curve. */
const BOUNDS = 0.1

/** "at 32 CPUs 71 % of the time is spent waiting for mm 1 page_table_lock (&mm->page_table_lock)". */
function boundSentence(
  view: MachineView,
  figures: ClockFigures,
  total: number,
  cpus: number,
  time: TimeShares,
  idleLines: ReadonlySet<number>,
): string {
  const at = `at ${cpus} CPU${cpus === 1 ? '' : 's'}`
  const costs = new Map<
    string,
    { time: number; most: number; lock: LockUse; locks: Set<number>; line: number }
  >()
  for (const use of figures.locks) {
    if (isInner(view, use)) continue
    const name = className(view, use).replace(/-[RW]$/, '')
    const cost = costs.get(name) ?? { time: 0, most: -1, lock: use, locks: new Set<number>(), line: 0 }
    cost.time += use.waitTotal
    // What releasing a lock costs, and looking at its line, is the lock's cost too.
    const line = use.lock >> LINE_SHIFT
    if (!cost.locks.has(use.lock)) {
      cost.time += figures.stallOutside[line]
      cost.line += figures.stallOutside[line]
    }
    cost.locks.add(use.lock)
    if (use.waitTotal > cost.most) {
      cost.most = use.waitTotal
      cost.lock = use
    }
    costs.set(name, cost)
  }
  const [name, worst] = [...costs].reduce<
    [string, { time: number; most: number; lock?: LockUse; locks: Set<number>; line: number }]
  >(
    (best, one) => (one[1].time > best[1].time ? one : best),
    ['', { time: 0, most: 0, locks: new Set(), line: 0 }],
  )
  const ofLocks = new Set(figures.locks.map((use) => use.lock >> LINE_SHIFT))
  const [kind, hot] = hottestLines(view, figures, (line) => !idleLines.has(line) && !ofLocks.has(line))
  if (Math.max(worst.time, hot.time) / total < BOUNDS)
    return time.idle > 0.5
      ? `${at} ${percentOf(time.idle)} of the time is idle`
      : `${at} no lock and no line takes ${percentOf(BOUNDS)} of the time; ${percentOf(time.running)} is spent running`
  if (hot.time > worst.time) {
    const one = hot.lines === 1 || hot.most > 0.8 * hot.time
    const what = one
      ? `the line of ${nameAddress(view, hot.line << LINE_SHIFT)}`
      : `${hot.lines} lines of ${kind}`
    return `${at} ${percentOf(hot.time / total)} of the time is spent waiting for ${what}`
  }
  const share = percentOf(worst.time / total)
  const one =
    worst.lock !== undefined && (worst.locks.size === 1 || worst.most > 0.8 * (worst.time - worst.line))
  const what = one
    ? `${lockName(view, worst.lock!.lock)} (${name})`
    : `${worst.locks.size} locks of class ${name}`
  const contended = figures.locks.some(
    (use) => worst.locks.has(use.lock) && use.contentions * 10 > use.acquisitions,
  )
  return contended
    ? `${at} ${share} of the time is spent waiting for ${what}`
    : `${at} ${share} of the time is spent waiting for the line of ${what}: ` +
        'the cache line bounces although the lock is rarely contended'
}

/** Lines of one kind: how many, their time, and the one that most of it went to. */
interface HotLines {
  time: number
  lines: number
  most: number
  line: number
}

/** The kind of line that CPUs waited longest for, among the lines that `counts` lets pass. */
function hottestLines(
  view: MachineView,
  figures: ClockFigures,
  counts: (line: number) => boolean,
): [string, HotLines] {
  const kinds = new Map<string, HotLines>()
  figures.stallOutside.forEach((stall, line) => {
    if (stall === 0 || !counts(line)) return
    const name = nameKind(view, line << LINE_SHIFT)
    const kind = kinds.get(name) ?? { time: 0, lines: 0, most: 0, line }
    kind.time += stall
    kind.lines++
    if (stall > kind.most) {
      kind.most = stall
      kind.line = line
    }
    kinds.set(name, kind)
  })
  const none: [string, HotLines] = ['', { time: 0, lines: 0, most: 0, line: 0 }]
  return [...kinds].reduce((best, one) => (one[1].time > best[1].time ? one : best), none)
}

function percentOf(share: number): string {
  return `${Math.round(share * 100)} %`
}

function sum(values: Iterable<number>): number {
  let all = 0
  for (const value of values) all += value
  return all
}

function round(value: number): number {
  return Math.round(value * 1e4) / 1e4
}
