import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { it } from 'vitest'
import { kernelOf, run } from './steps.test.ts'
import { randomCode } from './random_code.ts'
it('debug', async () => {
  await fc.assert(fc.asyncProperty(fc.infiniteStream(fc.nat(0xffff)), fc.integer(), fc.nat(9), async (stream, a, b) => {
    const next = (): number => stream.next().value as number
    const kernel = kernelOf(randomCode({ below: (n) => next() % n }, 10))
    const n = await run(await kernel.build([], { image: 'native' }), a, b, () => false)
    const gi = await kernel.build([], { image: 'gated' })
    const g = await run(gi, a, b, () => false)
    const i = n.steps.findIndex((s, i) => String(s) !== String(g.steps[i]))
    if (i >= 0) {
      console.log(i, n.steps.slice(i - 3, i + 3), g.steps.slice(i - 3, i + 3))
      console.log(kernel.read('src/kernel/code.ts'))
      console.log(readFileSync(gi.file, 'utf8'))
      throw new Error('x')
    }
  }), { seed: Number(process.env.SEED ?? 1), numRuns: 120, endOnFailure: true })
})
