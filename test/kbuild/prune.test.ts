import { describe, expect, it } from 'vitest'
import { bodyOf, inFunction, pruned, reached } from './passes.ts'

const golden: [what: string, input: string, output: string][] = [
  ['a branch that is taken', 'if (1) load(p)', 'load(p)'],
  ['a branch that is not', 'if (0) load(p)', ''],
  ['a branch with another', 'if (0) load(p)\n  else load(q)', '\nload(q)'],
  [
    'another branch',
    'if (p) load(p)\n  else if (1) load(q)\n  else load(0)',
    'if (p) load(p)\n  else load(q)\n',
  ],
  ['a branch in a branch', 'if (1) {\n    if (0) load(p)\n    load(q)\n  }', '{\n    \n    load(q)\n  }'],
  ['the only statement of a loop', 'while (p) if (0) load(p)', 'while (p) {}'],
  ['a choice', 'return 1 ? p : load(q)', 'return (p)'],
  ['a condition that stays', 'if (1 && load(p)) load(q)', 'if ((load(p))) load(q)'],
  ['a condition that goes', 'return 0 && load(p)', 'return 0'],
  [
    'a branch that half a condition decides',
    'if (0 && load(p)) load(q)\n  if (1 || load(p)) load(q)',
    '\n  load(q)',
  ],
  ['a comparison of constants', 'if (64 > 32) load(p)', 'load(p)'],
  ['what begins with a parenthesis', 'const a = p\n  if (1) (p, load(q))', 'const a = p\n  ;(p, load(q))'],
  ['what is behind a return', 'if (1) return 1\n  load(p)\n  load(q)', 'return 1\n  \n'],
  ['what is behind a break', 'for (;;) {\n    break\n    load(p)\n  }', 'for (;;) {\n    break\n    \n  }'],
  ['nothing that is not known', 'if (p && 0) load(p)', 'if (p && 0) load(p)'],
]

describe('pruning replaces', () => {
  it.each(golden)('%s', (_what, input, output) => {
    expect(bodyOf(pruned(inFunction(input)))).toBe(output)
  })
})

describe('dropUnreached', () => {
  it('drops functions that nobody calls, and keeps their lines', () => {
    const code = 'function a() {\n  b()\n}\nfunction b() {}\nfunction c() {\n  d()\n}\nfunction d() {}\n'
    expect(reached(code, 'a')).toBe('function a() {\n  b()\n}\nfunction b() {}\n\n\n\n\n')
  })
})
