/**
 * Draws that say less, to try one after the other while an execution shrinks: none at the end of a task's (those are 0
 * then), 0 for one, a lower number for one. Leaves out trying them: shrink.ts.
 */
import type { TaskDraws } from '../machine/stepped/draws.ts'

/** Below 0: `draws` have fewer numbers other than 0 than `others`, or as many and lower ones. */
export function compareDraws(draws: readonly TaskDraws[], others: readonly TaskDraws[]): number {
  return decided(draws) - decided(others) || total(draws) - total(others)
}

function decided(draws: readonly TaskDraws[]): number {
  return draws.reduce((sum, { values }) => sum + values.filter((value) => value !== 0).length, 0)
}

function total(draws: readonly TaskDraws[]): number {
  return draws.reduce((sum, { values }) => sum + values.reduce((all, value) => all + value, 0), 0)
}

/** A step of shrinking: what it makes of draws, if they have that to lose. */
export type Simplify = (draws: readonly TaskDraws[]) => TaskDraws[] | undefined

/** Steps for draws of the shape of these, the boldest first. */
export function* simplifications(draws: readonly TaskDraws[]): Generator<Simplify> {
  for (const { pid, values } of draws)
    for (let from = 0; from < values.length; from = Math.ceil((from + values.length) / 2) || 1) {
      const start = from
      yield (now) => changed(now, pid, (value, at) => (at >= start ? 0 : value))
      if (from === values.length - 1) break
    }
  for (const { pid, values } of draws.toReversed())
    for (let index = values.length - 1; index >= 0; index--)
      for (let lower = 0; lower < values[index]; lower = lower === 0 ? 1 : 2 * lower) {
        const least = lower
        yield (now) => changed(now, pid, (value, at) => (at === index ? Math.min(value, least) : value))
      }
}

function changed(
  draws: readonly TaskDraws[],
  pid: number,
  change: (value: number, at: number) => number,
): TaskDraws[] | undefined {
  const simpler = draws.map((task) => (task.pid === pid ? { pid, values: task.values.map(change) } : task))
  return compareDraws(simpler, draws) < 0 ? simpler : undefined
}
