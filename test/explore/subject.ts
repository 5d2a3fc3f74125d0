// The frozen programs as subjects of a hunt.
import type { Subject } from '../../src/explore/attempt.ts'
import { SteppedMachine } from '../../src/machine/stepped/machine.ts'
import { programs, symbols } from './fixtures/programs.mjs'

export type ProgramName = keyof typeof programs

export interface Sizes {
  readonly cpus?: number
  readonly operations?: number
  readonly pages?: number
}

/** A machine that has booted a frozen program. */
export function subjectOf(name: ProgramName, { cpus = 2, operations = 0, pages = 0 }: Sizes = {}): Subject {
  const { boot, atRest } = programs[name]
  const machine = new SteppedMachine(boot, symbols, {
    cpus,
    seed: 1,
    turns: operations,
    pages,
    stepLimit: 10_000,
  })
  return { machine, observers: [], ...(atRest === undefined ? {} : { atRest: () => atRest(machine) }) }
}
