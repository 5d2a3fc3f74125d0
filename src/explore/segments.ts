/**
 * A schedule in the form that survives changes: a list of stays, each an entity and how many of its own steps it has announced
 * when it stops. Taking a stay out leaves the others meaningful, which positions in the whole execution would not.
 */

/** `entity` runs until it has announced its step number `until` (counted over the execution), or cannot go on. */
export interface Stay {
  readonly entity: number
  readonly until: number
}

/**
 * The stays of a machine's schedule: pairs of (steps announced before the change, entity that goes on).
 * @param steps all steps of the execution
 */
export function staysOf(schedule: readonly number[], steps: number): Stay[] {
  const stays: Stay[] = []
  const announced: number[] = []
  for (let i = 0; i < schedule.length; i += 2) {
    const entity = schedule[i + 1]
    // The last one takes the step that it had announced when it was stopped, even if it announces no other.
    const end = i + 2 < schedule.length ? schedule[i + 2] : steps + 1
    const until = (announced[entity] ?? 0) + end - schedule[i]
    announced[entity] = until
    const last = stays.at(-1)
    if (last?.entity === entity) stays[stays.length - 1] = { entity, until }
    else stays.push({ entity, until })
  }
  return stays
}

/** `stays` without those at the positions that `keep` refuses; neighbours of one entity become one stay. */
export function filterStays(stays: readonly Stay[], keep: (index: number) => boolean): Stay[] {
  const kept: Stay[] = []
  stays.forEach((stay, index) => {
    if (!keep(index)) return
    if (kept.at(-1)?.entity === stay.entity) kept[kept.length - 1] = stay
    else kept.push(stay)
  })
  return kept
}

/** Changes of entity in a machine's schedule; an interrupt taken and left counts as two. */
export function switchesOf(schedule: readonly number[]): number {
  let switches = 0
  for (let i = 2; i < schedule.length; i += 2) if (schedule[i + 1] !== schedule[i - 1]) switches++
  return switches
}
