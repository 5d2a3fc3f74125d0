import { describe, expect, it } from 'vitest'
import { listReverts } from '../../src/catalog/reverts.ts'
import { hunted } from './hunted.ts'

/** Twice as many as each revert has to be found in. */
const EXECUTIONS = 2560

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
    it('holds for twice the executions', { timeout: 300_000 }, async () => {
      const result = await hunted({ ...form, executions: EXECUTIONS })
      expect(result.violations.map(({ check, message }) => `${check}: ${message}`)).toEqual([])
    })
  },
)
