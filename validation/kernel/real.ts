// The machine's kernel: compiles validation/c/calls.c and lets it do sequences of calls.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../src/base/root.ts'
import type { Call } from './calls.ts'
import type { Mapping, Outcome, Outcomes } from './outcome.ts'

const SECONDS = 20
const PAGE_KB = 4
/** Flags of VMAs that are compared. */
const FLAGS = ['rd', 'wr', 'ex', 'sh', 'ac', 'nr', 'dc', 'dd', 'wf', 'sr', 'rr']

/** The machine's kernel. */
export interface RealKernel {
  /** As `uname -r` has it. */
  readonly release: string
  /** Does the calls in processes of its own. Throws if they do not end in time. */
  run(calls: readonly Call[]): Outcomes
}

/** Compiles the program; why there is none: a sentence. */
export function realKernel(): RealKernel | string {
  if (process.platform !== 'linux') return `the machine's kernel is ${process.platform}, not Linux`
  if (process.arch !== 'x64') return `the machine is ${process.arch}; page sizes and faults are x86-64's`
  const folder = mkdtempSync(join(tmpdir(), 'mmtorture-calls-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const program = join(folder, 'calls')
  try {
    const source = join(packageRoot(), 'validation', 'c', 'calls.c')
    execFileSync('cc', ['-O2', '-o', program, source], { stdio: 'pipe' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'there is no C compiler (cc)'
    throw error
  }
  return {
    release: release(),
    run(calls) {
      const input = calls.map(({ process, kind, args }) => `${[process, kind, ...args].join(' ')}\n`).join('')
      return parse(execFileSync(program, { input, encoding: 'utf8', timeout: SECONDS * 1000 }))
    },
  }
}

function parse(text: string): Outcomes {
  const calls: Outcome[] = []
  const mappings: Mapping[] = []
  for (const line of text.split('\n')) {
    const [mark, ...words] = line.trim().split(/\s+/)
    if (mark === '=') {
      const [result, faults, signal, value] = words.map(Number)
      calls.push({ result, fault: faults > 0, signal, value })
    } else if (mark === ':') {
      const [process, start, end, rss, anonymous] = words.map(Number)
      const flags = words.filter((word) => FLAGS.includes(word)).toSorted()
      mappings.push({
        ...{ process, start, end, rss: rss / PAGE_KB, anonymous: anonymous / PAGE_KB },
        flags: flags.join(' '),
      })
    }
  }
  return { calls, mappings }
}
