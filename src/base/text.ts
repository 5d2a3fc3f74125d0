// Small pieces of text: numbers, times, tables. Leaves out colour.

/** A whole number with separators: 1,234,567. */
export function count(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `1 step`, `2 steps`. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`
}

/** A share (0 to 1) in per cent. */
export function percent(share: number): string {
  const value = share * 100
  return `${value > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} %`
}

/** A time of `ns` nanoseconds in the unit that suits it. */
export function duration(ns: number): string {
  if (ns < 1e3) return `${Math.round(ns)} ns`
  if (ns < 1e6) return `${(ns / 1e3).toFixed(1)} us`
  if (ns < 1e9) return `${(ns / 1e6).toFixed(1)} ms`
  return `${(ns / 1e9).toFixed(2)} s`
}

/**
 * Rows of cells as aligned lines; the first row is the heading. Columns that hold a number in every row below the
 * heading are aligned to the right.
 */
export function table(rows: readonly (readonly string[])[]): string[] {
  const columns = rows[0]?.length ?? 0
  const widths: number[] = []
  const numeric: boolean[] = []
  for (let column = 0; column < columns; column++) {
    widths.push(Math.max(...rows.map((row) => row[column].length)))
    numeric.push(rows.slice(1).every((row) => /^[-\d][\d,.]*( ?(%|ns|us|ms|s))?$/.test(row[column])))
  }
  return rows.map((row) =>
    row
      .map((cell, column) => (numeric[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column])))
      .join('  ')
      .trimEnd(),
  )
}

/** `label` in the margin, then the lines of a block. */
export function block(label: string, lines: readonly string[]): string[] {
  return lines.map((line, index) => `${(index === 0 ? label : '').padEnd(MARGIN)}${line}`.trimEnd())
}

/** Items joined by two spaces into lines of at most 100 characters, or of what COLUMNS leaves beside the margin. */
export function flow(items: readonly string[]): string[] {
  const most = columns(100 + MARGIN) - MARGIN
  const lines: string[] = []
  for (const item of items) {
    const last = lines.length - 1
    if (last >= 0 && lines[last].length + item.length + 2 <= most) lines[last] += `  ${item}`
    else lines.push(item)
  }
  return lines
}

const MARGIN = 12
const NARROWEST = 40

/** Characters of a line: what COLUMNS says, unless that is too narrow for a report, or `usual`. */
function columns(usual: number): number {
  const given = Number(process.env.COLUMNS)
  return Number.isInteger(given) && given >= NARROWEST ? given : usual
}

/** A text as lines of at most 110 characters, or COLUMNS. */
export function wrap(text: string): string[] {
  const most = columns(110)
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.length - 1
    if (last >= 0 && lines[last].length + word.length < most) lines[last] += ` ${word}`
    else lines.push(word)
  }
  return lines
}
