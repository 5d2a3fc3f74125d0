import { describe, expect, it } from 'vitest'
import { inlinedText, sitesOf } from './passes.ts'

const CALLEES = `function lock(p, subclass) {
  acquire_word(p)
  note(p, subclass)
}
function next(p) {
  let v = load(p)
  v += 1
  return v
}
function find(p, v) {
  for (let i = 0; i < v; i++)
    if (load(p + i) === v) return i
  return -1
}
function drop(p) {
  if (load(p) === 0) return
  store(p, 0)
}
function step(p) {
  p += 1
  return load(p)
}
function up(p) {
  if (load(p)) up(p - 1)
}
function labelled(p) {
  again: for (;;) if (load(p)) break again
}
function note(p, v) { stat[p] += v }
function pure(p) { return p * 2 }
`
const FIRST_LINE = CALLEES.split('\n').length

function inlined(code: string, rounds = 1): string {
  const lines = inlinedText(`${CALLEES}function f(p, q) {\n${code}\n}`, rounds).code.split('\n')
  return lines
    .slice(FIRST_LINE, -1)
    .map((line) => line.replace(/ +/g, ' ').trim())
    .join('\n')
}

const golden: [what: string, input: string, output: string][] = [
  ['a statement', 'lock(p, 0)', '{ acquire_word(p); note(p, 0); }'],
  ['a computed argument, once', 'lock(p + 3, 0)', '{ let p$1 = p + 3; acquire_word(p$1); note(p$1, 0); }'],
  ['an access in an argument', 'lock(load(p), 0)', '{ let p$1 = load(p); acquire_word(p$1); note(p$1, 0); }'],
  [
    'a value and locals',
    'const v = next(p)',
    'let t$1; { let v$1 = load(p); v$1 += 1; t$1 = v$1; } const v = t$1',
  ],
  [
    'an early return',
    'const v = find(p, q)',
    'let t$1; h$1: { for (let i$1 = 0; i$1 < q; i$1++) if (load(p + i$1) === q) { t$1 = i$1; break ' +
      'h$1 } t$1 = -1; } const v = t$1',
  ],
  ['an early return without a value', 'drop(p)', 'h$1: { if (load(p) === 0) { break h$1 } store(p, 0); }'],
  [
    'a call whose value is returned, returns and all',
    'return find(p, q)',
    '{ for (let i$1 = 0; i$1 < q; i$1++) if (load(p + i$1) === q) return i$1; return -1; }',
  ],
  ['a value that is not used', 'next(p)', '{ let v$1 = load(p); v$1 += 1; v$1; }'],
  [
    'a parameter that is assigned to',
    'q = step(p)',
    'let t$1; { let p$1 = p; p$1 += 1; t$1 = load(p$1); } q = t$1',
  ],
  [
    'a condition',
    'if (next(p) > q) store(p, 1)',
    'let t$1; { let v$1 = load(p); v$1 += 1; t$1 = v$1; } if (t$1 > q) store(p, 1)',
  ],
  [
    'a statement without a block',
    'if (p) lock(p, 0)\nelse q = next(p)',
    'if (p) { acquire_word(p); note(p, 0); }\nelse { let t$2; { let v$2 = load(p); v$2 += 1; t$2 = v$2; } q = t$2 }',
  ],
  [
    'a case of a switch',
    'switch (p) {\ncase 0:\nlock(p, 0)\n}',
    'switch (p) {\ncase 0:\n{ acquire_word(p); note(p, 0); }\n}',
  ],
  [
    'a call behind what has no effect',
    'return pure(p) + q + next(p)',
    'let t$1; { let v$1 = load(p); v$1 += 1; t$1 = v$1; } return pure(p) + q + t$1',
  ],
  [
    'lines of arguments, which stay',
    'const v = find(\np,\nq,\n)\nload(v)',
    'let t$1; h$1: { for (let i$1 = 0; i$1 < q; i$1++) if (load(p + i$1) === q) { t$1 = i$1; break ' +
      'h$1 } t$1 = -1; } const v = t$1\n\n\n\nload(v)',
  ],
]

const kept: [what: string, code: string][] = [
  ['behind an access', 'return load(p) + next(q)'],
  ['behind an assignment', 'return (q = 1) + next(q)'],
  ['with an assignment in an argument', 'return find(p, (p = 3))'],
  ['that does not always happen', 'return p && next(q)'],
  ['that happens again and again', 'while (next(p)) store(p, 0)'],
  ['behind what an observer counts', 'return stat[p] + next(p)'],
  ['of a function that calls itself', 'up(p)'],
  ['of a function with a label', 'labelled(p)'],
  ['of a function without steps', 'note(p, 1)'],
  ['of a name that is a local here', 'const note = 1\nlock(p, note)'],
]

describe('a function is put in place of its call:', () => {
  it.each(golden)('%s', (_what, input, output) => {
    expect(inlined(input)).toBe(output)
  })

  it('the inner one of two first', () => {
    expect(inlined('lock(next(p), 1)')).toBe(
      'let t$1; { let v$1 = load(p); v$1 += 1; t$1 = v$1; } lock(t$1, 1)',
    )
    expect(inlined('lock(next(p), 1)', 2)).toBe(
      'let t$1; { let v$1 = load(p); v$1 += 1; t$1 = v$1; } { acquire_word(t$1); note(t$1, 1); }',
    )
  })
})

describe('a call stays a call', () => {
  it.each(kept)('%s', (_what, code) => {
    expect(inlined(code)).toBe(code)
  })
})

describe('the site of a step in a function that stands in place of its call', () => {
  it('is the place in that function, with the calls around it', () => {
    const code = `${CALLEES}function inner(p) {\n  next(p)\n  load(p)\n}\nfunction f(p, q) {\n  p += 1\n  inner(p)\n}`
    const sites = sitesOf(inlinedText(code, 2)).filter((site) => site.callers?.at(-1)?.fn === 'f')
    expect(sites).toEqual([
      {
        fn: 'next',
        file: 'k.ts',
        line: 6,
        column: 11,
        primitive: 'load',
        callers: [
          { fn: 'inner', file: 'k.ts', line: FIRST_LINE + 1 },
          { fn: 'f', file: 'k.ts', line: FIRST_LINE + 6 },
        ],
      },
      {
        fn: 'inner',
        file: 'k.ts',
        line: FIRST_LINE + 2,
        column: 3,
        primitive: 'load',
        callers: [{ fn: 'f', file: 'k.ts', line: FIRST_LINE + 6 }],
      },
    ])
  })
})
