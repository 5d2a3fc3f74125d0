// A BUG in the kernel's words: which kind of BUG it is, where, and what is known of it. For the reports of runs and of
// hunts, which set it out each in their own lines. Leaves out the state of the CPUs: failure.ts.
import { oracleReport } from './oracle_report.ts'
import { dumpPage } from './page_dump.ts'
import { type Frame, HELPERS } from './stack.ts'
import type { MachineView } from './symbols.ts'

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
  { kind, a }: BugOperands,
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
    default:
      return bug
  }
}
