// The textbook races of examples/litmus in the kernel as it comes: no violation. What each finds without its fix:
// docs/litmus.md, whose commands the tests of the pages run.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packageRoot } from '../../src/base/root.ts'
import { hunt } from '../../src/index.ts'

const folder = join(packageRoot(), 'examples/litmus')
const files = readdirSync(folder).filter((file) => /^[\w-]+\.ts$/.test(file))

test.each(files)('%s holds', async (file) => {
  const scenario = join(folder, file)
  const { verdict, violation } = await hunt({ scenario, seed: 1, executions: 200, workers: 1 })
  expect({ verdict, violation }).toEqual({ verdict: 'held', violation: undefined })
})
