// Mutants that are no faults: what they do differently no caller can see, or Linux could do as well. Each has its
// reason in equivalent.json, where it goes by its function and the lines that it changes.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Mutant } from './mutants.ts'

export const EQUIVALENT_FILE = 'bench/mutation/equivalent.json'

export interface Equivalent {
  readonly function: string
  /** Lines of the patch that begin with - or +, without spaces at their ends. */
  readonly change: readonly string[]
  readonly reason: string
}

/** The list, from the package's folder `root`. */
export function readEquivalents(root: string): Equivalent[] {
  return JSON.parse(readFileSync(join(root, EQUIVALENT_FILE), 'utf8')) as Equivalent[]
}

/** Why a mutant is no fault; undefined when it is one. */
export function reasonOf(mutant: Mutant, equivalents: readonly Equivalent[]): string | undefined {
  const change = changeOf(mutant).join('\n')
  return equivalents.find((one) => one.function === mutant.function && one.change.join('\n') === change)
    ?.reason
}

/** The lines that a mutant changes, as the list has them. */
export function changeOf({ patch }: Mutant): string[] {
  return patch
    .split('\n')
    .filter((line) => /^[-+]/.test(line) && !/^(?:---|\+\+\+) /.test(line))
    .map((line) => `${line[0]}${line.slice(1).trim()}`)
}
