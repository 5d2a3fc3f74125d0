// What options may be, once for the command line and for the library. Leaves out what else an option is, and its
// default.

/** The least and the greatest integer that an option takes. */
export type Bounds = readonly [least: number, greatest: number]

const SEED: Bounds = [0, 2 ** 31 - 1]
const PAGES: Bounds = [1, 1e6]

/** By command and option, named as the library names it. Those of scale's `cpus` hold for each of the list. */
export const BOUNDS = {
  run: { cpus: [1, 64], seed: SEED, repeat: [1, 1000] },
  hunt: {
    cpus: [1, 64],
    seed: SEED,
    executions: [1, 1e9],
    operations: [1, 1e6],
    pages: PAGES,
    depth: [1, 100],
    preemptions: [0, 100],
    stepLimit: [1, 1e9],
    workers: [1, 64],
  },
  scale: {
    cpus: [1, 256],
    seed: SEED,
    operations: [1, 1e9],
    lag: [0, 1e6],
    pages: PAGES,
    section: [0, 1e9],
    think: [0, 1e9],
  },
  judge: {
    seed: SEED,
    workers: [1, 64],
    executions: [1, 1e9],
    operations: [1, 1e9],
    cpus: [1, 256],
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Bounds>>>>

/** Seconds, above 0, that a run, a hunt and the measured window of a point may take. */
export const LONGEST = { seconds: 86_400, simulatedTime: 10 } as const

/** `an integer from 1 to 64`. */
export function expectedInteger([least, greatest]: Bounds): string {
  return `an integer from ${least} to ${greatest}`
}
