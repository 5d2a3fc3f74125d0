/**
 * A schedule in the form that survives changes: a list of segments, each a context and how many of its own steps it has
 * announced when it stops. Taking a segment out leaves the others meaningful, which positions in the whole execution
 * would not.
 */

/** `context` runs until it has announced its step number `until` (counted over the execution), or cannot go on. */
export interface Segment {
  readonly context: number
  readonly until: number
}

/**
 * The segments of a machine's schedule: pairs of (steps announced before the change, context that goes on).
 * @param steps all steps of the execution
 */
export function segmentsOf(schedule: readonly number[], steps: number): Segment[] {
  const segments: Segment[] = []
  const announced: number[] = []
  for (let i = 0; i < schedule.length; i += 2) {
    const context = schedule[i + 1]
    // The last one takes the step that it had announced when it was stopped, even if it announces no other.
    const end = i + 2 < schedule.length ? schedule[i + 2] : steps + 1
    const until = (announced[context] ?? 0) + end - schedule[i]
    announced[context] = until
    const last = segments.at(-1)
    if (last?.context === context) segments[segments.length - 1] = { context, until }
    else segments.push({ context, until })
  }
  return segments
}

/** `segments` without those at the positions that `keep` refuses; neighbours of one context become one segment. */
export function filterSegments(segments: readonly Segment[], keep: (index: number) => boolean): Segment[] {
  const kept: Segment[] = []
  segments.forEach((segment, index) => {
    if (!keep(index)) return
    if (kept.at(-1)?.context === segment.context) kept[kept.length - 1] = segment
    else kept.push(segment)
  })
  return kept
}

/** Changes of context in a machine's schedule; an interrupt taken and left counts as two. */
export function switchesOf(schedule: readonly number[]): number {
  let switches = 0
  for (let i = 2; i < schedule.length; i += 2) if (schedule[i + 1] !== schedule[i - 1]) switches++
  return switches
}
