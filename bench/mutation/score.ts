// What became of the mutants, as text: a score for each kind, and the survivors as diffs.
import { percent, plural, table } from '../../src/base/text.ts'
import { type Kind, KINDS } from './kinds.ts'
import type { Mutant } from './mutants.ts'
import type { Fate } from './worker.ts'

/** The fate of a mutant, or why it is no fault at all, or that nothing reaches its file. */
export type Outcome =
  Fate | { readonly fate: 'equivalent'; readonly reason: string } | { readonly fate: 'unreached' }

export interface Judged {
  readonly mutant: Mutant
  readonly outcome: Outcome
}

/** Killed ones of those that are faults; 1 without any. */
export function scoreOf(judged: readonly Judged[]): number {
  const faults = judged.filter(({ outcome }) => isFault(outcome))
  return faults.length === 0 ? 1 : numberOf(faults, 'killed') / faults.length
}

/** The table of scores by kind, and each survivor as a diff below what hunted it. */
export function scoreText(judged: readonly Judged[]): string {
  const row = (name: string, of: readonly Judged[]): string[] => [
    name,
    String(of.length),
    ...(['refused', 'equivalent', 'killed', 'survived', 'unreached'] as const).map((fate) =>
      String(numberOf(of, fate)),
    ),
    percent(scoreOf(of)),
  ]
  const ofKind = (kind: Kind): Judged[] => judged.filter(({ mutant }) => mutant.kind === kind)
  const rows = [
    ['kind', 'mutants', 'refused', 'equivalent', 'killed', 'survived', 'unreached', 'score'],
    ...KINDS.filter((kind) => ofKind(kind).length > 0).map((kind) => row(kind, ofKind(kind))),
    row('all', judged),
  ]
  const survivors = judged.filter(
    ({ outcome }) => outcome.fate === 'survived' || outcome.fate === 'unreached',
  )
  return [...table(rows), '', ...survivors.map(survivorText)].join('\n')
}

function survivorText({ mutant, outcome }: Judged): string {
  const { kind, function: name, file, line, patch } = mutant
  const hunted =
    outcome.fate === 'survived'
      ? `survived ${plural(outcome.executions, 'execution')}`
      : 'no form reaches its file'
  return `${kind} in ${name}, ${file}:${line}: ${hunted}\n${patch.split('\n').slice(2).join('\n')}`
}

function isFault({ fate }: Outcome): boolean {
  return fate !== 'refused' && fate !== 'equivalent'
}

function numberOf(judged: readonly Judged[], fate: Outcome['fate']): number {
  return judged.filter(({ outcome }) => outcome.fate === fate).length
}
