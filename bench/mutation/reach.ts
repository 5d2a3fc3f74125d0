// Which forms a mutant is hunted in: those that take steps in its function, the most lines first; without any, those
// that take steps in its file.
import type { SourceLines } from '../../src/hunt/reached.ts'
import type { Form } from './form.ts'
import type { Mutant } from './mutants.ts'

/** A form, and the lines that its executions reached. */
export interface Reach {
  readonly form: Form
  readonly lines: SourceLines
}

/** At most `most` forms. */
export function formsFor(
  { file, lines: [first, last], line }: Mutant,
  reaches: readonly Reach[],
  most: number,
): Form[] {
  const ranked = (from: number, to: number): Form[] =>
    reaches
      .map(({ form, lines }) => {
        const reached = (lines[file]?.reached ?? []).filter((one) => one >= from && one <= to)
        return { form, near: reached.some((one) => Math.abs(one - line) <= 2), reached: reached.length }
      })
      .filter(({ reached }) => reached > 0)
      .toSorted((one, other) => Number(other.near) - Number(one.near) || other.reached - one.reached)
      .map(({ form }) => form)
  const forms = ranked(first, last)
  return (forms.length > 0 ? forms : ranked(1, Infinity)).slice(0, most)
}
