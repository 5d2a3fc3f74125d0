// A BUG in the kernel's words: which kind of BUG it is, where, and what is known of it. For the reports of runs and of
// hunts, which set it out each in their own lines. Leaves out the state of the CPUs: failure.ts.
import { oracleReport } from './oracle_report.ts'
import { hex } from './names.ts'
import { dumpPage } from './page_dump.ts'
import { type Frame, HELPERS } from './stack.ts'
import type { MachineView, SymbolTable } from './symbols.ts'

/** What machine_bug() was called with: a BUG_ constant of src/kernel/arch/bug.ts and two operands. */
export interface BugOperands {
  readonly kind: number
  readonly a: number
  readonly b: number
}

export interface BugText {
  /** `scenario`: it says itself that it cannot go on; `oracle`: the data oracle has found a wrong value. */
  readonly kind: 'bug' | 'scenario' | 'oracle'
  /** `kernel BUG at src/kernel/mm/mm.ts:40`, without where if that is not known. */
  readonly message: string
  /** The function that noticed it, where it is known and the message does not say it. */
  readonly function?: string
  /** Why it was a BUG: `VM_BUG_ON_PAGE`, with the page as dump_page prints it. */
  readonly reason?: string
  readonly dump: readonly string[]
}

/** @param stack the kernel's stack of the CPU that called machine_bug(), innermost first */
export function bugText(
  view: MachineView,
  oracle: Int32Array,
  { kind, a, b }: BugOperands,
  stack: readonly Frame[],
): BugText {
  const { symbols } = view
  // Who asked on behalf of another is not who noticed.
  const frame = stack.find((entry) => !HELPERS.has(entry.function))
  const place = frame === undefined ? '' : ` at ${frame.file}:${frame.line}`
  const noticed = frame === undefined ? {} : { function: frame.function }
  const within = frame === undefined ? '' : ` in ${frame.function}`
  const bug = { kind: 'bug', message: `kernel BUG${place}`, ...noticed, dump: [] } as const
  switch (kind) {
    case symbols['BUG_PAGE']:
      return { ...bug, reason: 'VM_BUG_ON_PAGE', dump: dumpPage(view, a) }
    case symbols['BUG_ORACLE']:
      return { kind: 'oracle', message: oracleReport(oracle, a, symbols), dump: [] }
    case symbols['BUG_SCENARIO']: {
      const reason = Object.keys(symbols).find((name) => name.startsWith('SETUP_') && symbols[name] === a)
      const message = `the scenario cannot go on${place}${within}: ${reason ?? `reason ${a}`}`
      return { kind: 'scenario', message, dump: [] }
    }
    default: {
      const reason = bugReason(symbols, { kind, a, b })
      return reason === undefined ? bug : { ...bug, reason }
    }
  }
}

/** Why what a design or a scenario asked for was a BUG of theirs; undefined: it was another BUG. */
export function bugReason(s: SymbolTable, { kind, a, b }: BugOperands): string | undefined {
  switch (kind) {
    case s['BUG_PTLOCK']:
      return ptlockReason(s, a, b)
    case s['BUG_SCENARIO_WORD']:
      return `scenario_word(${a}): a scenario has ${b} words, 0 to ${b - 1}`
    case s['BUG_USER_WORD']:
      return `word ${a} of a page: with PAGE_BYTES=${4 * b} a page keeps words 0 to ${b - 1}`
    default:
      return undefined
  }
}

/** Why the lock at `lock`, named by the function `by` of a design (PTLOCK_BY_ constants), is none of the design's. */
function ptlockReason(s: SymbolTable, lock: number, by: number): string {
  const prefix = 'PTLOCK_BY_'
  const name = Object.keys(s).find((symbol) => symbol.startsWith(prefix) && s[symbol] === by)
  const end = s.PTLOCK_AREA + s.PTLOCK_WORDS
  const area =
    s.PTLOCK_WORDS === 0
      ? 'it has no words of its own (PTLOCK_WORDS is 0)'
      : `its own words are ${hex(s.PTLOCK_AREA)} up to ${hex(end)} (PTLOCK_AREA, PTLOCK_WORDS ${s.PTLOCK_WORDS})`
  return (
    `${name?.slice(prefix.length) ?? 'the design'} names ` +
    `${lock === 0 ? 'NULL' : `word ${hex(lock)}`}, which is no lock ` +
    `of the design's: ${area}; besides it may have page$ptl of a table and mm$page_table_lock`
  )
}
