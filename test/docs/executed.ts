// Which functions a test file executes on its own thread, images of kernels among them: written to the folder
// MMTORTURE_EXECUTED as a file of one name a line. Vitest loads this before each test file when that is set. Leaves out
// worker threads.
import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'

const session = new Session()
session.connect()
await session.post('Profiler.enable')
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })

afterAll(async () => {
  const { result } = await session.post('Profiler.takePreciseCoverage')
  session.disconnect()
  const executed = result
    .flatMap(({ functions }) => functions)
    .filter(({ ranges }) => ranges[0].count > 0)
    .map(({ functionName }) => functionName)
  const file = expect.getState().testPath!.replaceAll(/[\\/]/g, '+')
  writeFileSync(join(process.env.MMTORTURE_EXECUTED!, file), [...new Set(executed)].join('\n'))
})
