import { describe, expect, test } from 'vitest'
import { BEGIN, END, intoPage, markdown, tableLines } from '../../validation/table.ts'
import type { Row, Target } from '../../validation/target.ts'

const target = (label: string): Target => ({ name: label, label, run: () => Promise.resolve([]) })
const [t1, t10] = [target('T1: one'), target('T10: ten')]
const row = (of: string, what: string, ok?: boolean): Row => ({
  ...{ target: of, what, published: '1', predicted: '2', band: '3' },
  ok,
})
const page = (...lines: string[]): string => ['before', BEGIN, ...lines, END, 'after', ''].join('\n')

test('a table has a line for each row and counts those that are judged', () => {
  const lines = markdown([row('T1: one', 'a', true), row('T1: one', 'b', false), row('T1: one', 'c')]).split(
    '\n',
  )
  expect(lines.slice(2, 5)).toEqual([
    '| T1: one | a | 1 | 2 | 3 | met |',
    '| T1: one | b | 1 | 2 | 3 | MISSED |',
    '| T1: one | c | 1 | 2 | 3 |  |',
  ])
  expect(lines.at(-2)).toBe('1 of 2 judged figures lie in their band.')
})

describe('a page', () => {
  const full = intoPage(page(), [row('T10: ten', 'x', true), row('T1: one', 'a', true)], [t1, t10], [t1, t10])

  test('gets the rows in the order of the targets, and nothing else changes', () => {
    expect(tableLines(full).map((line) => line.slice(0, 9))).toEqual(['| T1: one', '| T10: te'])
    expect(full.startsWith(`before\n${BEGIN}\n\n| target`)).toBe(true)
    expect(full.endsWith(`\n${END}\nafter\n`)).toBe(true)
  })

  test('keeps the rows of targets that were not run, and counts them', () => {
    const again = intoPage(full, [row('T1: one', 'new', false)], [t1], [t1, t10])
    expect(tableLines(again)).toEqual([
      '| T1: one | new | 1 | 2 | 3 | MISSED |',
      '| T10: ten | x | 1 | 2 | 3 | met |',
    ])
    expect(again).toContain('\n1 of 2 judged figures lie in their band.\n')
  })

  test('without a place for the table is refused', () => {
    expect(() => intoPage('nothing', [], [], [])).toThrow(/has no lines/)
  })
})

test('a bar in a cell does not end it', () => {
  expect(markdown([row('T1: one', 'a|b', true)])).toContain(String.raw`| a\|b |`)
})
