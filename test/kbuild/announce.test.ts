import { describe, expect, it } from 'vitest'
import { PRIMITIVES } from '../../src/kbuild/primitives.ts'
import { announced, bodyOf, inFunction } from './passes.ts'

const golden: [what: string, input: string, stepped: string][] = [
  ['a read', 'return load(p)', 'return (S(1, p, 0, 0, 0) && (yield), X())'],
  ['a write', 'store(p + 3, 1)', ';(S(2, p + 3, 1, 0, 0) && (yield), X())'],
  ['three operands', 'const v = cmpxchg(p, 0, 1)', 'const v = (S(16, p, 0, 1, 0) && (yield), X())'],
  [
    'an access in an operand, the inner one first in time and the outer one first in number',
    'store(p, load(q))',
    ';(S(2, p, (S(1, q, 0, 0, 1) && (yield), X()), 0, 0) && (yield), X())',
  ],
  [
    'an access as the first operand',
    'return load(load(p))',
    'return (S(1, (S(1, p, 0, 0, 1) && (yield), X()), 0, 0, 0) && (yield), X())',
  ],
  ['a condition', 'if (READ_ONCE(p) !== 0) return', 'if ((S(4, p, 0, 0, 0) && (yield), X()) !== 0) return'],
  [
    'a statement without a block, which needs no semicolon',
    'if (p) store(p, 1)\n  else store(q, 1)',
    'if (p) (S(2, p, 1, 0, 0) && (yield), X())\n  else (S(2, q, 1, 0, 1) && (yield), X())',
  ],
  [
    'a statement behind one without a semicolon',
    'const a = q\n  store(p, a)',
    'const a = q\n  ;(S(2, p, a, 0, 0) && (yield), X())',
  ],
  [
    'a statement that only begins with an access',
    'let a = q\n  load(p) === 0 && load(q)',
    'let a = q\n  ;(S(1, p, 0, 0, 0) && (yield), X()) === 0 && (S(1, q, 0, 0, 1) && (yield), X())',
  ],
  [
    'a case of a switch',
    'switch (p) {\n    case load(q):\n      store(p, 1)\n  }',
    'switch (p) {\n    case (S(1, q, 0, 0, 0) && (yield), X()):\n      ;(S(2, p, 1, 0, 1) && (yield), X())\n  }',
  ],
  [
    'a loop',
    'for (let i = load(p); i < load(q); i += 1) {}',
    'for (let i = (S(1, p, 0, 0, 0) && (yield), X()); i < (S(1, q, 0, 0, 1) && (yield), X()); i += 1) {}',
  ],
  [
    'arguments on lines of their own, with a comma at the end',
    'store(\n    p,\n    q,\n  )',
    ';(S(2, \n    p,\n    q\n  , 0, 0) && (yield), X())',
  ],
  ['no other call', 'return Math.imul(p, 2) + other(q)', 'return Math.imul(p, 2) + other(q)'],
]

describe('announce rewrites', () => {
  it.each(golden)('%s', (_what, input, stepped) => {
    expect(bodyOf(announced(inFunction(input)).code)).toBe(stepped)
  })

  it.each(golden)('in a gated image, without a yield: %s', (_what, input, stepped) => {
    expect(bodyOf(announced(inFunction(input), 'gated').code)).toBe(stepped.replaceAll(' && (yield)', ''))
  })

  it.each([...PRIMITIVES])('%s as a step of its kind', (name, kind) => {
    expect(bodyOf(announced(inFunction(`return ${name}(p, q, 5)`)).code)).toBe(
      `return (S(${kind}, p, q, 5, 0) && (yield), X())`,
    )
  })

  it('the default value of a parameter, where only suspending is impossible', () => {
    expect(announced('function f(a = load(1)) {}', 'gated').code).toBe(
      'function f(a = (S(1, 1, 0, 0, 0), X())) {}',
    )
  })
})

describe('a site', () => {
  it('is the place of the call in the source', () => {
    const { sites } = announced(
      'function f(p) {\n  // first\n  store(p, load(p))\n}\nfunction g(p) {\n  load(p)\n}',
    )
    expect(sites).toEqual([
      { fn: 'f', file: 'k.ts', line: 3, column: 3, primitive: 'store' },
      { fn: 'f', file: 'k.ts', line: 3, column: 12, primitive: 'load' },
      { fn: 'g', file: 'k.ts', line: 6, column: 3, primitive: 'load' },
    ])
  })
})
