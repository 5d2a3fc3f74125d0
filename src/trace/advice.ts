// The advice of madvise as a recording has it: which a replay gives again, which matters to no fault, and which has no
// mechanism in the model, so that the faults of its areas are shown apart.

export const ADVICE_POPULATE_READ = 22
export const ADVICE_POPULATE_WRITE = 23

/** Given again: MADV_DONTNEED, MADV_POPULATE_ and flags of VMAs. */
const REPLAYED = [0, 1, 2, 4, 10, 11, 15, 16, 17, 18, 19, ADVICE_POPULATE_READ, ADVICE_POPULATE_WRITE]

const NAMES: Record<number, string> = {
  3: 'MADV_WILLNEED',
  8: 'MADV_FREE',
  9: 'MADV_REMOVE',
  12: 'MADV_MERGEABLE',
  13: 'MADV_UNMERGEABLE',
  14: 'MADV_HUGEPAGE',
  20: 'MADV_COLD',
  21: 'MADV_PAGEOUT',
  25: 'MADV_COLLAPSE',
  102: 'MADV_GUARD_INSTALL',
  103: 'MADV_GUARD_REMOVE',
}

/** Passed over without consequences for later faults: MADV_WILLNEED, MADV_FREE, MADV_UNMERGEABLE, MADV_COLD. */
const HARMLESS = [3, 8, 13, 20]

/** MADV_DONTNEED_LOCKED is MADV_DONTNEED where nothing is locked. */
const DONTNEED = 4
const DONTNEED_LOCKED = 24

/** The advice that stands for this one in a replay; undefined: none does. */
export function replayedAdvice(advice: number): number | undefined {
  if (advice === DONTNEED_LOCKED) return DONTNEED
  return REPLAYED.includes(advice) ? advice : undefined
}

/** The advice's name in messages. */
export function adviceName(advice: number): string {
  return NAMES[advice] ?? `advice ${advice}`
}

/** Whether faults of an area with this advice, which is not replayed, may be others than the model's. */
export function setsApart(advice: number): boolean {
  return !HARMLESS.includes(advice)
}
