// A recording -> what the replay needs: the ordered program (for the result table) and its encoding (for the machine).
import { checkFiles } from './demand.ts'
import { encodeProgram } from './encode.ts'
import type { TraceProgram } from './operations.ts'
import { orderProgram } from './order.ts'
import { buildProgram } from './program.ts'
import { readTrace } from './read.ts'
import { makeRoom } from './room.ts'

export { memoryFor, traceDemand } from './demand.ts'
export type { TraceDemand } from './demand.ts'
export {
  differenceText,
  faultRows,
  formatTraceTable,
  outOfMemory,
  sameKindShare,
  traceTable,
  ANONYMOUS_WRITES,
} from './table.ts'
export type { TraceDifference, TraceRow, TraceTable } from './table.ts'
export type { TraceProgram } from './operations.ts'

export interface LoadedTrace {
  program: TraceProgram
  /** Words as opcodes.ts lays them out. */
  blob: Int32Array
}

/**
 * Reads a trace and prepares it for replay.
 * @param path a file of `perf script` text, plain or gzipped
 * @param bits page numbers of the model have this many bits (at most 31): levels and table size decide
 * @throws UsageError for a file that is missing, damaged or malformed, whose addresses do not
 *   fit, or that has more files, tasks or address spaces at a time than the model
 */
export function loadTrace(path: string, bits = 31): LoadedTrace {
  const program = buildProgram(readTrace(path))
  checkFiles(program)
  makeRoom(program)
  orderProgram(program)
  return { program, blob: encodeProgram(program, bits) }
}
