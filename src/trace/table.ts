// The result of a replay: recorded kind (absent or present; read, write, fetch) by outcome in the model.
import {
  TRACE_F_ANON,
  TRACE_F_PRESENT,
  TRACE_F_SEGV,
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
import { rowOf } from './operations.ts'
import type { TouchRow, TraceProgram } from './operations.ts'

export interface TraceRow {
  /** `absent read` … `present fetch`, or the special row's name. */
  recorded: TouchRow | typeof ANONYMOUS_WRITES
  /** Recorded faults of this kind, those passed over included. */
  faults: number
  sameKind: number
  /** The model faulted, but found a page where the recording did not, or the other way round. */
  otherKind: number
  noFault: number
  /** SIGSEGV or SIGBUS that the recording does not have. */
  signal: number
  passedOver: { why: string; count: number }[]
}

export interface TraceTable {
  rows: TraceRow[]
  /** Recorded calls that are not replayed, and why. */
  calls: { what: string; why: string; count: number }[]
  /** Replayed calls that failed in the model though they had succeeded, by errno. */
  failedCalls: { errno: number; count: number }[]
  /** Events of other kinds, by name. */
  unknownEvents: { name: string; count: number }[]
}

/** The row that the fidelity of a replay is judged by. */
export const ANONYMOUS_WRITES = 'write faults in areas whose anonymous mmap was recorded'

const OUT_OF_MEMORY = 'the model was out of memory'
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
  for (const recorded of [...ROWS, ANONYMOUS_WRITES] as TraceRow['recorded'][]) {
    rows.set(recorded, {
      recorded,
      faults: 0,
      sameKind: 0,
      otherKind: 0,
      noFault: 0,
      signal: 0,
      passedOver: [],
    })
  }
  const failed = new Map<number, number>()
  let index = 0
  for (const stream of program.streams) {
    for (const operation of stream.operations) {
      const result = results[index++] ?? TRACE_RESULT_NOT_RUN
      if (operation.kind !== TRACE_TOUCH) {
        if (result < 0) failed.set(-result, (failed.get(-result) ?? 0) + 1)
        continue
      }
      const recordedPresent = (operation.bits & TRACE_F_PRESENT) !== 0
      const recordedSegv = (operation.bits & TRACE_F_SEGV) !== 0
      count(rows.get(rowOf(operation))!, result, recordedPresent, recordedSegv)
      if (operation.access === TRACE_WRITE && (operation.bits & TRACE_F_ANON) !== 0) {
        count(rows.get(ANONYMOUS_WRITES)!, result, recordedPresent, recordedSegv)
      }
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
    unknownEvents: [...program.unknownEvents].map(([name, count]) => ({ name, count })),
  }
}

/** Share of the faults of a row that came out the same kind, passed-over ones aside; 1 when there are none. */
export function sameKindShare(row: TraceRow): number {
  const judged = row.sameKind + row.otherKind + row.noFault + row.signal
  return judged === 0 ? 1 : row.sameKind / judged
}

/** Faults that found no memory in the model. */
export function outOfMemory(table: TraceTable): number {
  return table.rows
    .filter((row) => row.recorded !== ANONYMOUS_WRITES)
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
    lines.push(`failed in the model: ${count} calls with errno ${errno}`)
  for (const { name, count } of table.unknownEvents) lines.push(`not understood: ${count} × ${name}`)
  return lines.join('\n')
}

function count(row: TraceRow, result: number, recordedPresent: boolean, recordedSegv: boolean): void {
  row.faults++
  switch (result) {
    case TRACE_RESULT_ABSENT:
    case TRACE_RESULT_PRESENT:
      if ((result === TRACE_RESULT_PRESENT) === recordedPresent) row.sameKind++
      else row.otherKind++
      break
    case TRACE_RESULT_NO_FAULT:
      row.noFault++
      break
    case TRACE_RESULT_SEGV:
      if (recordedSegv) passOver(row, 'a SIGSEGV in the recording as well', 1)
      else row.signal++
      break
    case TRACE_RESULT_SIGBUS:
      row.signal++
      break
    case TRACE_RESULT_OOM:
      passOver(row, OUT_OF_MEMORY, 1)
      break
    default:
      passOver(row, 'the run ended before it', 1)
  }
}

function passOver(row: TraceRow, why: string, count: number): void {
  const entry = row.passedOver.find((other) => other.why === why)
  if (entry) entry.count += count
  else row.passedOver.push({ why, count })
}
