// The frozen programs as subjects of a hunt.
import type { Subject } from '../../src/explore/attempt.ts'
import { SteppedMachine, type SteppedBoot } from '../../src/machine/stepped/machine.ts'
import { programs, symbols } from './fixtures/programs.mjs'

export type ProgramName = keyof typeof programs

export interface Sizes {
  readonly cpus?: number
  readonly turns?: number
  readonly pages?: number
}

/** A machine that has booted a frozen program. */
export function subjectOf(name: ProgramName, { cpus = 2, turns = 0, pages = 0 }: Sizes = {}): Subject {
  const program: { boot: unknown; atRest?: (machine: SteppedMachine) => { check: string; message: string } | null } =
    programs[name]
  const options = { cpus, seed: 1, turns, pages, stepLimit: 10_000 }
  const machine = new SteppedMachine(program.boot as SteppedBoot, symbols, options)
  const { atRest } = program
  return { machine, observers: [], ...(atRest === undefined ? {} : { atRest: () => atRest(machine) }) }
}
