// The result of a replay: recorded kind (absent or present; read, write, fetch) by outcome in the model.
import {
  TRACE_F_ANON,
  TRACE_F_PRESENT,
  TRACE_F_SEGV,
  TRACE_F_SIGBUS,
  TRACE_F_USER,
  TRACE_RESULT_ABSENT,
  TRACE_RESULT_NOT_RUN,
  TRACE_RESULT_NO_FAULT,
  TRACE_RESULT_OOM,
  TRACE_RESULT_PRESENT,
  TRACE_RESULT_SEGV,
  TRACE_RESULT_SIGBUS,
  TRACE_TOUCH,
  TRACE_WRITE,
} from './opcodes.ts'
import { callName, rowOf } from './operations.ts'
import type { Operation, TouchRow, TraceProgram } from './operations.ts'

export interface TraceRow {
  /** `absent read` … `present fetch`, or a special row's name. */
  recorded: string
  /** Recorded faults of this kind, those passed over included. */
  faults: number
  sameKind: number
  /** The model faulted, but found a page where the recording did not, or the other way round. */
  otherKind: number
  noFault: number
  /** SIGSEGV or SIGBUS that the recording does not have. */
  signal: number
  passedOver: { why: string; count: number }[]
  /** Faults of areas with something that is not modelled: in no other row, and not judged. */
  apart?: true
}

/** A line of the recording that is judged and came out otherwise in the model. */
export interface TraceDifference {
  line: number
  /** `absent read` … of a fault, or the name of a call. */
  what: string
  /** How a call ended. */
  recorded?: string
  model: string
}

export interface TraceTable {
  rows: TraceRow[]
  /** Recorded calls that are not replayed, and why. */
  calls: { what: string; why: string; count: number }[]
  /** Replayed calls that failed in the model though they had not failed so in the recording, by errno. */
  failedCalls: { errno: number; count: number }[]
  /** The first lines of the recording that came out otherwise, and how many there are. */
  differences: { count: number; first: TraceDifference[] }
  /** Events of other kinds, by name. */
  unknownEvents: { name: string; count: number }[]
}

/** The row that the fidelity of a replay is judged by. */
export const ANONYMOUS_WRITES = 'write faults in areas whose anonymous mmap was recorded'

const OUT_OF_MEMORY = 'the model was out of memory'
/** Differences that a table names. */
const MOST_DIFFERENCES = 8
const OUTCOMES: Record<number, string> = {
  [TRACE_RESULT_ABSENT]: 'the page was absent',
  [TRACE_RESULT_PRESENT]: 'the page was present',
  [TRACE_RESULT_NO_FAULT]: 'no fault',
  [TRACE_RESULT_SEGV]: 'a SIGSEGV',
  [TRACE_RESULT_SIGBUS]: 'a SIGBUS',
}
const ROWS: TouchRow[] = [
  'absent read',
  'absent write',
  'absent fetch',
  'present read',
  'present write',
  'present fetch',
]

/**
 * Makes the table.
 * @param results one TRACE_RESULT_… word for every operation, stream after stream
 */
export function traceTable(program: TraceProgram, results: ArrayLike<number>): TraceTable {
  const rows = new Map<string, TraceRow>()
  for (const recorded of [...ROWS, ANONYMOUS_WRITES]) rows.set(recorded, emptyRow(recorded))
  const failed = new Map<number, number>()
  const differences: TraceDifference[] = []
  let index = 0
  for (const stream of program.streams) {
    for (const operation of stream.operations) {
      const result = results[index++] ?? TRACE_RESULT_NOT_RUN
      if (operation.kind !== TRACE_TOUCH) {
        if (sameEnd(operation, result)) continue
        if (result < 0) failed.set(-result, (failed.get(-result) ?? 0) + 1)
        differences.push(callDifference(operation, result))
        continue
      }
      if (operation.apart !== '') {
        const recorded = `faults in areas with ${operation.apart}, not modelled`
        if (!rows.has(recorded)) rows.set(recorded, { ...emptyRow(recorded), apart: true })
        count(rows.get(recorded)!, result, operation)
        continue
      }
      const column = count(rows.get(rowOf(operation))!, result, operation)
      const judged = operation.access === TRACE_WRITE && (operation.bits & TRACE_F_ANON) !== 0
      if (judged) count(rows.get(ANONYMOUS_WRITES)!, result, operation)
      if (column === 'signal' || (judged && column !== 'sameKind' && column !== 'passedOver'))
        differences.push({ line: operation.line, what: rowOf(operation), model: OUTCOMES[result] ?? '' })
    }
  }
  const calls: TraceTable['calls'] = []
  for (const entry of program.passedOver) {
    const row = rows.get(entry.what)
    if (!row) {
      calls.push(entry)
      continue
    }
    row.faults += entry.count
    passOver(row, entry.why, entry.count)
  }
  return {
    rows: [...rows.values()],
    calls,
    failedCalls: [...failed].map(([errno, count]) => ({ errno, count })),
    differences: {
      count: differences.length,
      first: differences.toSorted((one, other) => one.line - other.line).slice(0, MOST_DIFFERENCES),
    },
    unknownEvents: [...program.unknownEvents].map(([name, count]) => ({ name, count })),
  }
}

/** Share of the faults of a row that came out the same kind, passed-over ones aside; 1 when there are none. */
export function sameKindShare(row: TraceRow): number {
  const judged = row.sameKind + row.otherKind + row.noFault + row.signal
  return judged === 0 ? 1 : row.sameKind / judged
}

/** The rows that count each fault once, without those that are shown apart. */
export function faultRows(table: TraceTable): TraceRow[] {
  return table.rows.filter((row) => row.recorded !== ANONYMOUS_WRITES && row.apart === undefined)
}

/** Faults that found no memory in the model. */
export function outOfMemory(table: TraceTable): number {
  return faultRows(table)
    .flatMap((row) => row.passedOver)
    .reduce((sum, { why, count }) => sum + (why === OUT_OF_MEMORY ? count : 0), 0)
}

/** The table as lines of text. */
export function formatTraceTable(table: TraceTable): string {
  const head = ['recorded', 'faults', 'same kind', 'other kind', 'no fault', 'signal', 'passed over']
  const body = table.rows.map((row) => [
    row.recorded,
    `${row.faults}`,
    `${row.sameKind}`,
    `${row.otherKind}`,
    `${row.noFault}`,
    `${row.signal}`,
    `${row.passedOver.reduce((sum, { count }) => sum + count, 0)}`,
  ])
  const widths = head.map((title, column) =>
    Math.max(title.length, ...body.map((cells) => cells[column]!.length)),
  )
  const lines = [head, ...body].map((cells) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  '),
  )
  for (const row of table.rows) {
    if (row.recorded === ANONYMOUS_WRITES) continue
    for (const { why, count } of row.passedOver) lines.push(`passed over: ${count} × ${row.recorded}: ${why}`)
  }
  for (const { what, why, count } of table.calls) lines.push(`passed over: ${count} × ${what}: ${why}`)
  for (const { errno, count } of table.failedCalls)
    lines.push(`failed in the model: ${count} ${count === 1 ? 'call' : 'calls'} with errno ${errno}`)
  for (const difference of table.differences.first) lines.push(`differs: ${differenceText(difference)}`)
  const more = table.differences.count - table.differences.first.length
  if (more > 0) lines.push(`differs: ${more} more`)
  for (const { name, count } of table.unknownEvents) lines.push(`not understood: ${count} × ${name}`)
  return lines.join('\n')
}

/** A difference in words, with its line in the recording. */
export function differenceText({ line, what, recorded, model }: TraceDifference): string {
  return `line ${line}: ${what}: ${recorded === undefined ? '' : `in the recording ${recorded}, `}in the model ${model}`
}

function emptyRow(recorded: string): TraceRow {
  return { recorded, faults: 0, sameKind: 0, otherKind: 0, noFault: 0, signal: 0, passedOver: [] }
}

/** Whether a call ended as in the recording; what was not run did. */
function sameEnd({ errno }: Operation, result: number): boolean {
  return errno === 0 ? result >= 0 : result === -errno || result === TRACE_RESULT_NOT_RUN
}

function callDifference({ kind, line, errno }: Operation, result: number): TraceDifference {
  const end = (error: number): string => (error === 0 ? 'it succeeded' : `it failed with errno ${error}`)
  return { line, what: callName(kind), recorded: end(errno), model: end(result < 0 ? -result : 0) }
}

type Column = 'sameKind' | 'otherKind' | 'noFault' | 'signal' | 'passedOver'

/** Counts a touch in a row; returns in which column. */
function count(row: TraceRow, result: number, operation: Operation): Column {
  row.faults++
  const column = columnOf(result, operation)
  if (column === 'passedOver') passOver(row, whyPassedOver(result, operation), 1)
  else row[column]++
  return column
}

function columnOf(result: number, { bits }: Operation): Column {
  switch (result) {
    case TRACE_RESULT_ABSENT:
    case TRACE_RESULT_PRESENT:
      return (result === TRACE_RESULT_PRESENT) === ((bits & TRACE_F_PRESENT) !== 0) ? 'sameKind' : 'otherKind'
    case TRACE_RESULT_NO_FAULT:
      return 'noFault'
    case TRACE_RESULT_SEGV:
      return (bits & TRACE_F_SEGV) !== 0 ? 'passedOver' : 'signal'
    case TRACE_RESULT_SIGBUS:
      return (bits & TRACE_F_SIGBUS) !== 0 ? 'passedOver' : 'signal'
    default:
      return 'passedOver'
  }
}

function whyPassedOver(result: number, { bits }: Operation): string {
  if (result === TRACE_RESULT_OOM) return OUT_OF_MEMORY
  if (result !== TRACE_RESULT_SEGV && result !== TRACE_RESULT_SIGBUS) return 'the run ended before it'
  if ((bits & TRACE_F_USER) === 0) return 'a fault in kernel mode: the call returned EFAULT, no signal'
  return `a ${result === TRACE_RESULT_SEGV ? 'SIGSEGV' : 'SIGBUS'} in the recording as well`
}

function passOver(row: TraceRow, why: string, count: number): void {
  const entry = row.passedOver.find((other) => other.why === why)
  if (entry) entry.count += count
  else row.passedOver.push({ why, count })
}
