// A thread that builds images ahead of the hunts of a judgement (src/judge/ahead.ts).
import { workerData } from 'node:worker_threads'
import type { AheadSetup } from '../src/judge/ahead.ts'
import { kbuild } from '../src/kbuild/index.ts'

const { requests, position } = workerData as AheadSetup

for (const [index, { config, scenario, patches }] of requests.entries()) {
  if (index < position[0]) continue
  try {
    await kbuild(config, { scenario, patches, image: 'stepped' })
  } catch {
    // What is wrong in it the hunt says.
  }
}
