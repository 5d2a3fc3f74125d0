import { describe, expect, it } from 'vitest'
import { expanded, expandedSites } from './passes.ts'

const HELPERS = `function get(p) { return READ_ONCE(p) }
function put(p, v) { WRITE_ONCE(p + 4, v) }
function flag(p) { return (load(p + 2) & 1) !== 0 }
function twice(p, v) { return cmpxchg(p, v, v + 1) }
function late(v, p) { return load(p) + v }
function maybe(p, v) { return p !== 0 && load(v) === 1 }
function outer(p) { return get(p + 8) }
function pure(v) { return v * 2 }
function loads(p) { return load(p) + load(p + 1) + load(p + 2) + load(p + 3) }
function mixed(p, v) { return this_cpu_read(p) + load(v) }
function bug(p) { if (load(p)) machine_bug(0, 0, 0) }
`

/** What `statement` in a function f(p, q) becomes beside the helpers. */
function statement(code: string): string {
  const lines = expanded(`${HELPERS}function f(p, q) {\n${code}\n}`).split('\n')
  return lines.slice(HELPERS.split('\n').length, -1).join('\n')
}

const golden: [what: string, input: string, output: string][] = [
  ['a read', 'return get(p)', 'return READ_ONCE(p)'],
  ['a write', 'put(p, q)', 'WRITE_ONCE(p + 4, q)'],
  ['a computed argument', 'return get(p + q)', 'return READ_ONCE((p + q))'],
  ['an expression around the access', 'return flag(p)', 'return ((load(p + 2) & 1) !== 0)'],
  [
    'an expression at the begin of a statement',
    'const a = q\nflag(p)',
    'const a = q\n;((load(p + 2) & 1) !== 0)',
  ],
  ['a name or a number that is used twice', 'return twice(p, 5)', 'return cmpxchg(p, 5, 5 + 1)'],
  ['a helper of a helper', 'return outer(p)', 'return READ_ONCE((p + 8))'],
  ['an access as an argument', 'return get(load(p))', 'return READ_ONCE(load(p))'],
  ['a helper as an argument', 'return get(get(p))', 'return READ_ONCE(READ_ONCE(p))'],
  ['an access in a computed argument', 'return get(load(p) + 1)', 'return READ_ONCE((load(p) + 1))'],
  ['a pure function in an argument', 'put(p, pure(q))', 'WRITE_ONCE(p + 4, pure(q))'],
  ['names evaluated in another order', 'return late(p, q)', 'return (load(q) + p)'],
  ['a condition with names', 'return maybe(p, q)', 'return (p !== 0 && load(q) === 1)'],
  ['what the machine does beside the access', 'return mixed(p, q)', 'return (this_cpu_read(p) + load(q))'],
  [
    'arguments on lines of their own',
    'put(\n  p,\n  load(q),\n)\nput(q, 1)',
    'WRITE_ONCE(p + 4, \n\nload(q)\n)\nWRITE_ONCE(q + 4, 1)',
  ],
]

const kept: [what: string, code: string][] = [
  ['a computed argument used twice', 'return twice(p, p + q)'],
  ['an access as an argument used twice', 'return twice(p, load(q))'],
  ['an access that would come later', 'return late(load(p), q)'],
  ['an access after what the machine does', 'return mixed(p, load(q))'],
  ['accesses in another order', 'return late(get2(p), get2(q))'],
  ['an access that would not always happen', 'return maybe(p, load(q))'],
  ['an assignment in an argument', 'return late(p, (p = 3))'],
  ['a value of what has none', 'return put(p, q)'],
  ['too many accesses', 'return loads(p)'],
  ['statements', 'bug(p)'],
  ['a call of a name that is a local here', 'const READ_ONCE = 1\nreturn get(p)'],
]

describe('expand', () => {
  it.each(golden)('expands %s', (_what, input, output) => {
    expect(statement(input)).toBe(output)
  })

  it.each(kept)('does not expand with %s', (_what, code) => {
    expect(statement(code)).toBe(code)
  })
})

describe('the site of an expanded access', () => {
  it('is the place of the call, and names the helper that stands there', () => {
    const sites = expandedSites(`${HELPERS}function f(p) {\n  return get(p) + outer(load(p))\n}`)
    const line = HELPERS.split('\n').length + 1
    expect(sites.slice(-3)).toEqual([
      { fn: 'f', file: 'k.ts', line, column: 10, primitive: 'READ_ONCE', helper: 'get' },
      { fn: 'f', file: 'k.ts', line, column: 19, primitive: 'READ_ONCE', helper: 'outer' },
      { fn: 'f', file: 'k.ts', line, column: 25, primitive: 'load' },
    ])
  })
})
