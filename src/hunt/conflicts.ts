// Which steps of an execution meet: two CPUs on a word that one of them writes. Leaves out which of them matter:
// order_pairs.ts.
import { Kind } from '../step/kinds.ts'
import type { DescribedStep } from './narrator.ts'

/** Whether two steps of two CPUs touch a common word that one of them writes. */
export function conflict(one: DescribedStep, other: DescribedStep): boolean {
  if (one.cpu === other.cpu) return false
  if (one.kind === Kind.NOTIFY || other.kind === Kind.NOTIFY) return one.address === other.address
  const writes = (step: DescribedStep, from: number, words: number): boolean =>
    step.writes && overlap(step.address, step.words, from, words)
  const touches = (step: DescribedStep, other: DescribedStep): boolean =>
    writes(step, other.address, other.words) ||
    (other.from !== undefined && writes(step, other.from, other.words))
  return touches(one, other) || touches(other, one)
}

function overlap(first: number, firstWords: number, second: number, secondWords: number): boolean {
  return first < second + secondWords && second < first + firstWords
}

/** For each step the last one before it, of another CPU, that it conflicts with, walks left out; -1: none. */
export function lastConflicts(steps: readonly DescribedStep[]): Int32Array {
  const met = new Int32Array(steps.length).fill(-1)
  /** By word: the last access and the last write of each CPU. */
  const words = new Map<number, { readonly accesses: number[]; readonly writes: number[] }>()
  for (const [index, step] of steps.entries()) {
    const writes = step.writes || step.kind === Kind.NOTIFY
    const visit = (word: number, written: boolean): void => {
      const known = words.get(word) ?? { accesses: [], writes: [] }
      words.set(word, known)
      const last = written ? known.accesses : known.writes
      last.forEach((at, cpu) => {
        if (cpu !== step.cpu && at > met[index]) met[index] = at
      })
      if (step.pending !== undefined || isWalk(step)) return
      known.accesses[step.cpu] = index
      if (written) known.writes[step.cpu] = index
    }
    for (let i = 0; i < step.words; i++) {
      visit(step.address + i, writes)
      if (step.from !== undefined) visit(step.from + i, false)
    }
  }
  return met
}

/** A read of the hardware's walk: what it found shows in what the CPU does next. */
export function isWalk({ function: name, writes }: DescribedStep): boolean {
  return name === 'tlb_walk' && !writes
}
