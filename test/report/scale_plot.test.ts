import { expect, test } from 'vitest'
import { plot } from '../../src/report/scale_plot.ts'

test('doubling is a straight line from corner to corner', () => {
  const lines = plot([{ points: [1, 2, 4].map((x) => ({ x, y: 100 * x })) }])
  const marks = lines.flatMap((line, row) => (line.includes('A') ? [[row, line.indexOf('A')]] : []))
  expect(marks.map(([row]) => row)).toEqual([0, 7, 13])
  expect(marks[0][1]).toBeGreaterThan(marks[1][1])
  expect(lines.at(-1)).toMatch(/ 1 +2 +4 CPUs$/)
  expect(lines[0]).toMatch(/^400 ┤/)
})

test('curves that meet share a mark', () => {
  const curve = { points: [1, 2].map((x) => ({ x, y: x })) }
  expect(plot([curve, curve]).join('\n')).toContain('*')
})

test('one point is no curve', () => {
  expect(plot([{ points: [{ x: 1, y: 1 }] }])).toEqual([])
})
