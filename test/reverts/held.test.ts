import { describe, expect, it } from 'vitest'
import { listReverts } from '../../src/catalog/reverts.ts'
import { hunted } from './hunted.ts'

/**
 * For twice as many executions as each revert has to be found in, MMTORTURE_HELD=2560 is given: three quarters of an
 * hour of a CPU.
 */
const EXECUTIONS = Number(process.env.MMTORTURE_HELD ?? 512)

/** The forms of scenarios in which reverts are found, each once. */
const forms = new Map(
  listReverts().map(({ scenario, config, cpus, operations, pages }) => {
    const form = { scenario, config, cpus, operations, pages }
    return [JSON.stringify(form), form]
  }),
)

describe.each([...forms.values()])(
  'the kernel without reverts in $scenario $config, $cpus CPUs, $pages pages',
  (form) => {
    it(`holds for ${EXECUTIONS} executions`, { timeout: 300_000 }, async () => {
      const result = await hunted({ ...form, executions: EXECUTIONS })
      expect(result.violations.map(({ check, message }) => `${check}: ${message}`)).toEqual([])
    })
  },
)
