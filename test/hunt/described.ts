// The frozen programs of test/explore description as the report tells them; the places are made up.
import type { Subject } from '../../src/explore/attempt.ts'
import type { Site } from '../../src/step/site.ts'
import { type SteppedBoot, SteppedMachine } from '../../src/machine/stepped/machine.ts'
import { type Description, type DescribedImage, describeViolation } from '../../src/hunt/violation.ts'
import { programs, symbols } from '../explore/fixtures/programs.mjs'

const site = (fn: string, line: number, primitive: string): Site => ({
  ...{ fn, file: 'src/kernel/frozen.ts', line, column: 1, primitive },
})

const SITES: Readonly<Record<string, readonly Site[]>> = {
  lostUpdate: [site('increment', 10, 'READ_ONCE'), site('increment', 11, 'WRITE_ONCE')],
  abba: [
    site('take_both', 20, 'acquire_word'),
    site('take_both', 21, 'acquire_word'),
    site('take_both', 22, 'release_word'),
    site('take_both', 23, 'release_word'),
  ],
  endless: [site('spin', 30, 'READ_ONCE')],
}

/**
 * Runs a frozen program in the order of `segments` ([context, steps it has announced when it stops]) and describes what
 * fails.
 */
export function describedProgram(
  name: string,
  segments: readonly (readonly [context: number, until: number])[],
): Description {
  const { boot, atRest } = programs[name as keyof typeof programs] as {
    boot: SteppedBoot
    atRest?: (machine: SteppedMachine) => { check: string; message: string } | null
  }
  const machine = new SteppedMachine(boot, symbols, { cpus: 2, seed: 1, turns: 1, pages: 0, stepLimit: 100 })
  const subject: Subject = { machine, observers: [], ...(atRest ? { atRest: () => atRest(machine) } : {}) }
  const image: DescribedImage = { file: '/nowhere/image.mjs', sites: SITES[name] }
  const description = describeViolation(
    subject,
    image,
    { segments: segments.map(([context, until]) => ({ context, until })), draws: [] },
    '/nowhere',
  )
  if (description === undefined) throw new Error(`${name} holds in this order`)
  return description
}
