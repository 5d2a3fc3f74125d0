import { describe, expect, it } from 'vitest'
import { UsageError } from '../../src/base/errors.ts'
import { suspended } from './passes.ts'

const golden: [what: string, input: string, output: string][] = [
  ['a function with a step', 'function f(p) { load(p) }', 'function* f(p) { load(p) }'],
  ['no function without one', 'function f(p) { return p + g(p) }', 'function f(p) { return p + g(p) }'],
  [
    'functions that call one, however far',
    'function h(p) { return g(p) }\nfunction g(p) { return f(p) }\nfunction f(p) { return load(p) ' +
      '}\nfunction k(p) { return p }',
    'function* h(p) { return (yield* g(p)) }\nfunction* g(p) { return (yield* f(p)) }\nfunction* ' +
      'f(p) { return load(p) }\nfunction k(p) { return p }',
  ],
  [
    'a function that calls itself',
    'function f(p) { if (load(p)) f(p - 1) }',
    'function* f(p) { if (load(p)) (yield* f(p - 1)) }',
  ],
  [
    'calls in calls',
    'function f(p) { return load(p) }\nfunction g(p) { return f(f(p) + pure(f(p))) }',
    'function* f(p) { return load(p) }\nfunction* g(p) { return (yield* f((yield* f(p)) + pure((yield* f(p))))) }',
  ],
  [
    'a statement behind one without a semicolon',
    'function f(p) {\n  const a = p\n  f(a)\n  load(a)\n}',
    'function* f(p) {\n  const a = p\n  ;(yield* f(a))\n  load(a)\n}',
  ],
  [
    'a call as an operand of a step',
    'function f(p) { store(p, f(p)) }',
    'function* f(p) { store(p, (yield* f(p))) }',
  ],
]

describe('suspend makes a generator of', () => {
  it.each(golden)('%s', (_what, input, output) => {
    expect(suspended(input)).toBe(output)
  })

  it('an entry, whether it has a step or not, and of its callers', () => {
    expect(suspended('function f(p) { return p }\nfunction g(p) { return f(p) }', ['f'])).toBe(
      'function* f(p) { return p }\nfunction* g(p) { return (yield* f(p)) }',
    )
  })
})

describe('suspend refuses', () => {
  const refused = (code: string): string => {
    try {
      suspended(code)
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError)
      return (error as UsageError).message
    }
    return 'not refused'
  }

  it('a step in the default value of a parameter', () => {
    expect(refused('function f(p) {\n}\nfunction g(p,\n  q = load(p)) {}')).toBe(
      "k.ts:4:7: 'load' reaches memory, which the default value of a parameter may not; call it in the function.",
    )
  })

  it('a call there that reaches a step', () => {
    expect(refused('function f(p) { load(p) }\nfunction g(p = 2 + f(1)) {}')).toMatch(
      /^k\.ts:2:20: 'f' reaches memory/,
    )
  })
})
