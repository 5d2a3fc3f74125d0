// Curves of throughput over CPUs as text: both axes logarithmic, so that perfect scaling is a straight line. Leaves out
// figures.
import { count } from '../base/text.ts'

export interface Curve {
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

const HEIGHT = 14
const COLUMN = 6
const MARKS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'

/** The mark of curve number `index`. */
export function mark(index: number): string {
  return MARKS[index % MARKS.length]
}

/** The lines of a plot; none if no curve has two points. Where curves meet, * stands for all of them. */
export function plot(curves: readonly Curve[]): string[] {
  const points = curves.flatMap((curve) => curve.points.filter(({ y }) => y > 0))
  const xs = [...new Set(points.map(({ x }) => x))].toSorted((left, right) => left - right)
  if (xs.length < 2) return []
  const top = Math.max(...points.map(({ y }) => y))
  const bottom = Math.min(...points.map(({ y }) => y))
  const span = Math.max(0.1, Math.log(top / bottom))
  const grid = Array.from({ length: HEIGHT }, () => Array.from({ length: xs.length }, () => ' '))
  for (const [index, curve] of curves.entries())
    for (const { x, y } of curve.points) {
      if (y <= 0) continue
      const row = grid[Math.round((Math.log(top / y) / span) * (HEIGHT - 1))]
      const column = xs.indexOf(x)
      row[column] = row[column] === ' ' ? mark(index) : '*'
    }
  const labels = grid.map((_, row) => {
    if (row !== 0 && row !== HEIGHT - 1 && row !== HEIGHT >> 1) return ''
    return count(top * Math.exp((-span * row) / (HEIGHT - 1)))
  })
  const width = Math.max(...labels.map((label) => label.length))
  return [
    ...grid.map((row, index) =>
      (
        `${labels[index].padStart(width)} ` +
        `${labels[index] === '' ? '│' : '┤'}${row.map((cell) => cell.padStart(COLUMN)).join('')}`
      ).trimEnd(),
    ),
    `${' '.repeat(width)} └${'─'.repeat(COLUMN * xs.length)}`,
    `${' '.repeat(width)}  ${xs.map((x) => String(x).padStart(COLUMN)).join('')} CPUs`,
  ]
}
