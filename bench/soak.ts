// `npm run soak -- [--minutes 30] [--seed 1] [SCENARIO…]`: hunts scenarios in forms drawn from the seed (soak/draw.ts),
// one after the other until time is up, and prints each as the command that hunts it again. Exit status 1
// if one was violated. A form that a scenario cannot be set up in is said to be so.
import { parseArgs } from 'node:util'
import { UsageError } from '../src/base/errors.ts'
import { findScenario, namedScenarios } from '../src/catalog/scenarios.ts'
import { drawForm } from './soak/draw.ts'
import { huntForm } from './soak/hunt_form.ts'

/** Executions of a form behind those that learn. */
const EXECUTIONS = 64

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string', default: '30' }, seed: { type: 'string', default: '1' } },
})

async function main(): Promise<number> {
  const minutes = Number(values.minutes)
  const seed = Number(values.seed)
  if (!(minutes > 0) || !Number.isSafeInteger(seed) || seed < 0)
    throw new UsageError('--minutes is a number above 0, and --seed a whole number of at least 0.')
  const scenarios = positionals.length > 0 ? positionals.map((name) => findScenario(name)) : namedScenarios()
  const end = performance.now() + minutes * 60_000
  const failed: string[] = []
  let forms = 0
  for (; forms === 0 || performance.now() < end; forms++) {
    const scenario = scenarios[forms % scenarios.length]
    try {
      const { command, found } = await huntForm(scenario, drawForm(scenario, seed, forms), {
        executions: EXECUTIONS,
      })
      process.stdout.write(`${command}\n${found === undefined ? '' : `  violated by ${found}\n`}`)
      if (found !== undefined) failed.push(command)
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      process.stdout.write(`${scenario.name}, form ${forms}: ${error.message}\n`)
    }
  }
  const again = failed.map((command) => `  ${command}\n`).join('')
  process.stdout.write(`\n${forms} forms, ${failed.length} violated\n${again}`)
  return failed.length === 0 ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`soak: ${error.message}\n`)
  process.exitCode = 2
}
