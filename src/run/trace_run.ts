// What `run --trace` adds to a run: the recording as the machine's boot data, and afterwards its table and two checks.
// Leaves out the reader and the table themselves: src/trace.
import type { CheckResult } from '../checks/index.ts'
import { UsageError } from '../base/errors.ts'
import { type Configuration, levelBits } from '../kbuild/config.ts'
import type { KernelImage } from '../kbuild/index.ts'
import { symbol } from '../inspect/symbols.ts'
import { percent, plural } from '../base/text.ts'
import {
  ANONYMOUS_WRITES,
  differenceText,
  faultRows,
  loadTrace,
  memoryFor,
  outOfMemory,
  sameKindShare,
  traceDemand,
  type TraceTable,
  traceTable,
} from '../trace/index.ts'

export type { CheckResult, TraceTable }

/** The machine of a replay, once it has stopped. */
export interface Replayed {
  readonly memory: Int32Array
  readonly image: Pick<KernelImage, 'symbols' | 'config'>
}

/** What of the machine's options, and how its result is read. */
export interface TraceRun {
  /** With the MEMORY that the recording needs. */
  readonly config: Configuration
  readonly bootData: Int32Array
  /** One result word for each operation, behind the boot data. */
  readonly bootScratch: number
  readonly inspect: (machine: Replayed, finished: boolean) => CheckResult[]
  /** The table, once the machine was inspected. */
  readonly table: () => TraceTable | undefined
}

const ENOMEM = 12
/** Share of the write faults in recorded anonymous areas that must come out the same kind. */
const SAME_KIND = 0.95

/**
 * Prepares the replay of the recording at `path`. Throws UsageError if it is malformed, or too large for any machine.
 * @param sizeMemory choose MEMORY so that the recording fits
 */
export function traceRun(path: string, config: Configuration, sizeMemory: boolean): TraceRun {
  // Half of 31 bits is user space's.
  const bits = Math.min(
    30,
    levelBits(config).reduce((sum, level) => sum + level, 0),
  )
  const { program, blob } = loadTrace(path, bits)
  const demand = traceDemand(program, config.PTRS_PER_TABLE, config.PGTABLE_LEVELS)
  const operations = program.streams.reduce((sum, stream) => sum + stream.operations.length, 0)
  let table: TraceTable | undefined
  return {
    config: sizeMemory ? { ...config, MEMORY: memoryFor(demand) } : config,
    bootData: blob,
    bootScratch: operations,
    inspect(machine, finished) {
      const first = symbol(machine.image.symbols, 'BOOT_DATA') + blob.length
      table = traceTable(program, machine.memory.subarray(first, first + operations))
      const { MEMORY, FAIL_ALLOC } = machine.image.config
      if (FAIL_ALLOC === 0) mustHaveHadMemory(table, MEMORY)
      // A call that was made to fail changes all that comes after it.
      else if (table.failedCalls.length > 0) return notApplicable()
      return traceChecks(table, finished)
    },
    table: () => table,
  }
}

/** Throws UsageError when the replay ran out of memory: a failed call changes all that comes after it. */
function mustHaveHadMemory(table: TraceTable, memory: string): void {
  const calls = table.failedCalls.reduce((sum, { errno, count }) => sum + (errno === ENOMEM ? count : 0), 0)
  const faults = outOfMemory(table)
  if (calls + faults === 0) return
  throw new UsageError(
    `MEMORY=${memory} is too small for the recording (${faults} faults and ${calls} calls found no ` +
      'memory); give it more with --config MEMORY=, or leave that out.',
  )
}

function notApplicable(): CheckResult[] {
  return ['trace signals', 'trace faults'].map((name) => ({ name, ok: 'not applicable' }))
}

/** What differed first, as the end of a sentence. */
function first({ differences }: TraceTable): string {
  const [difference] = differences.first
  return difference === undefined ? '' : `; what differed first: ${differenceText(difference)}`
}

function traceChecks(table: TraceTable, finished: boolean): CheckResult[] {
  const signals = faultRows(table).reduce((sum, row) => sum + row.signal, 0)
  const writes = table.rows.find((row) => row.recorded === ANONYMOUS_WRITES)
  const share = writes === undefined ? 1 : sameKindShare(writes)
  return [
    signals === 0
      ? { name: 'trace signals', ok: true }
      : {
          name: 'trace signals',
          ok: false,
          detail: `${plural(signals, 'fault')} ended in a signal that the recording does not have${first(table)}`,
        },
    // Cut short, it says nothing about the rest.
    !finished
      ? { name: 'trace faults', ok: 'not applicable' }
      : share >= SAME_KIND
        ? { name: 'trace faults', ok: true }
        : {
            name: 'trace faults',
            ok: false,
            detail:
              `${percent(share)} of the write faults in recorded anonymous areas are of the recorded ` +
              `kind, expected ${percent(SAME_KIND)}${first(table)}`,
          },
  ]
}
