// `npm run mutate [-- N]`: what `held` is worth. Puts N (default 300) single faults into the kernel, one at a time, as
// many of each kind; hunts each in the scenarios that reach its function, with every check; and prints the share that
// was found, by kind, and those that were not, as diffs. Mutants that are no faults stand in mutation/equivalent.json.
// Which mutants are drawn, and whether they are found, follows from the seed. Exit status 1 below the target.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { count } from '../src/base/text.ts'
import { packageRoot } from '../src/base/root.ts'
import { readEquivalents, reasonOf } from './mutation/equivalent.ts'
import { allForms, formName } from './mutation/form.ts'
import { KINDS } from './mutation/kinds.ts'
import { allMutants, drawMutants, type Mutant } from './mutation/mutants.ts'
import { runTasks } from './mutation/pool.ts'
import { formsFor, type Reach } from './mutation/reach.ts'
import { type Judged, type Outcome, scoreOf, scoreText } from './mutation/score.ts'
import type { Task } from './mutation/worker.ts'

/** The share of faults to be found. */
const TARGET = 0.95
/** Executions in which a form shows what it reaches, beside those that learn which words are shared. */
const REACH_EXECUTIONS = 16

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '1' },
    executions: { type: 'string', default: '1280' },
    forms: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '300' },
    workers: { type: 'string', default: String(availableParallelism()) },
    kind: { type: 'string', multiple: true, default: [...KINDS] },
    in: { type: 'string', default: '' },
  },
})
const folder = mkdtempSync(join(tmpdir(), 'mmtorture-mutate-'))
const interrupt = new AbortController()
process.once('SIGINT', () => interrupt.abort())
try {
  process.exitCode = await main()
} finally {
  rmSync(folder, { recursive: true })
}

async function main(): Promise<number> {
  const n = Number(positionals[0] ?? 300)
  const numbers = [values.seed, values.executions, values.forms, values.seconds, values.workers].map(Number)
  if (![n, ...numbers].every(Number.isSafeInteger) || Math.min(n, ...numbers.slice(1)) < 1)
    return refused(
      'N, --seed, --executions, --forms, --seconds and --workers are whole numbers of at least 1.',
    )
  const wrong = values.kind.find((kind) => !(KINDS as readonly string[]).includes(kind))
  if (wrong !== undefined) return refused(`there is no kind ${wrong}; the kinds are ${KINDS.join(', ')}.`)
  const [seed, executions, most, seconds, workers] = numbers
  const root = packageRoot()
  const mutants = allMutants(root).filter(
    (mutant) => values.kind.includes(mutant.kind) && mutant.file.includes(values.in),
  )
  const drawn = drawMutants(mutants, n, seed)
  tell(`${count(drawn.length)} of ${count(mutants.length)} mutants`)
  const limits = { workers, seconds, signal: interrupt.signal }
  const reaches = await reachOf(limits, seed)
  const equivalents = readEquivalents(root)
  const outcomes: (Outcome | undefined)[] = drawn.map((mutant) => {
    const reason = reasonOf(mutant, equivalents)
    if (reason !== undefined) return { fate: 'equivalent', reason }
    return formsFor(mutant, reaches, most).length === 0 ? { fate: 'unreached' } : undefined
  })
  const open = drawn.map((_, index) => index).filter((index) => outcomes[index] === undefined)
  const tasks = open.map((index) => {
    const patch = join(folder, `${index}.patch`)
    writeFileSync(patch, drawn[index].patch)
    return { what: 'hunt', forms: formsFor(drawn[index], reaches, most), patch, executions, seed } as const
  })
  let done = 0
  await runTasks(tasks, limits, (index, answer) => {
    const outcome = answer ?? { fate: 'killed', form: '', check: 'no end', execution: -1 }
    outcomes[open[index]] = outcome
    tell(`${++done} of ${tasks.length}: ${told(drawn[open[index]], outcome)}`)
  })
  const judged = drawn.flatMap((mutant, index): Judged[] => {
    const outcome = outcomes[index]
    return outcome === undefined ? [] : [{ mutant, outcome }]
  })
  process.stdout.write(`${scoreText(judged)}\n`)
  return scoreOf(judged) < TARGET ? 1 : 0
}

async function reachOf(limits: Parameters<typeof runTasks>[1], seed: number): Promise<Reach[]> {
  const forms = allForms()
  tell(`what ${forms.length} forms of scenarios reach in ${REACH_EXECUTIONS} executions`)
  const reaches: Reach[] = []
  const tasks = forms.map((form) => ({ what: 'reach', form, executions: REACH_EXECUTIONS, seed }) as const)
  await runTasks<Task & { what: 'reach' }>(tasks, limits, (index, lines) => {
    if (lines === undefined) tell(`${formName(forms[index])} takes too long, and is left out`)
    else reaches[index] = { form: forms[index], lines }
  })
  return reaches.filter((reach) => reach !== undefined)
}

function told({ kind, function: name, line }: Mutant, outcome: Outcome): string {
  const by =
    outcome.fate === 'killed' ? ` by ${outcome.check}, execution ${outcome.execution}, ${outcome.form}` : ''
  return `${kind} in ${name}:${line} ${outcome.fate}${by}`
}

function tell(text: string): void {
  process.stderr.write(`mutate: ${text}\n`)
}

function refused(why: string): number {
  process.stderr.write(`mutate: ${why}\n`)
  return 2
}
