import fc from 'fast-check'
import { parseSync } from 'oxc-parser'
import { expect, it } from 'vitest'
import { evaluate } from '../../src/kbuild/fold.ts'
import type { Node } from '../../src/kbuild/source.ts'

function valueOf(code: string): unknown {
  const { program } = parseSync('a.ts', `(${code})`, { lang: 'ts' })
  return evaluate((program.body[0] as unknown as { expression: Node }).expression, () => undefined)
}

const OPERATORS = [
  '+',
  '-',
  '*',
  '<<',
  '>>',
  '>>>',
  '&',
  '|',
  '^',
  '<',
  '<=',
  '>',
  '>=',
  '===',
  '!==',
  '&&',
  '||',
  '%',
]

const expression = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.integer({ min: 0, max: 1 << 20 }).map(String),
    fc.tuple(tie('node'), fc.constantFrom(...OPERATORS), tie('node')).map(([a, o, b]) => `(${a} ${o} ${b})`),
    fc.tuple(fc.constantFrom('-', '~', '!', '+'), tie('node')).map(([o, a]) => `${o}(${a})`),
    fc.tuple(tie('node'), tie('node'), tie('node')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `Math.max(${a}, Math.imul(${b}, 3))`),
  ),
}))

it('evaluates as JavaScript does', () => {
  fc.assert(
    fc.property(expression.node, (code) => {
      // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- the language itself is the oracle here
      const expected = Function(`return Number(${code})`)() as number
      // A comparison of a boolean with a number is one of numbers here, since constants hold 1 for true.
      fc.pre(!/(===|!==)/.test(code))
      expect(Number(valueOf(code))).toEqual(expected)
    }),
    { numRuns: 300, seed: 7 },
  )
})

it('takes true as 1 when it is compared', () => {
  expect(valueOf('(2 > 1) === true')).toBe(true)
  expect(valueOf('1 === true')).toBe(true)
})

it('knows no other names, calls or operators', () => {
  expect(['x', 'f(1)', 'Math.random()', '2 ** 3', "'a'", 'x ? 1 : 2'].map(valueOf)).toEqual(
    Array(6).fill(undefined),
  )
})
