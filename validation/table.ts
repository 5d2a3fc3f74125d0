// The table of the validation as Markdown, and its place in docs/scale.md. Leaves out where its rows come from: the
// targets.
import type { Row, Target } from './target.ts'

const HEAD = ['| target | what | published | predicted | band | verdict |', '|---|---|---|---|---|---|']
/** Lines of a page between which the table lies. */
export const BEGIN = '<!-- npm run validate -- --write: begin -->'
export const END = '<!-- npm run validate -- --write: end -->'

/** Rows as a table, with a line that says how many were met. */
export function markdown(rows: readonly Row[]): string {
  return finished(rows.map(line))
}

/**
 * A page whose table has new rows for the targets that `chosen` names; those of other targets stay. Throws if the page
 * has no place for it.
 * @param targets all there are, in the order of the table
 */
export function intoPage(
  page: string,
  rows: readonly Row[],
  chosen: readonly Target[],
  targets: readonly Target[],
): string {
  const { begin, end } = place(page)
  const kept = tableLines(page).filter((text) => !chosen.some((target) => isOf(text, target)))
  const lines = [...kept, ...rows.map(line)]
  const sorted = targets.flatMap((target) => lines.filter((text) => isOf(text, target)))
  return `${page.slice(0, begin)}\n${finished(sorted)}${page.slice(end)}`
}

/** The rows of the table of a page, as they stand there. */
export function tableLines(page: string): string[] {
  const { begin, end } = place(page)
  return page
    .slice(begin, end)
    .split('\n')
    .filter((text) => text.startsWith('| ') && !HEAD.includes(text))
}

/** Whether a line of the table is one of a target's rows. */
export function isOf(text: string, target: Target): boolean {
  return text.startsWith(`| ${target.label}`)
}

function place(page: string): { begin: number; end: number } {
  const begin = page.indexOf(`${BEGIN}\n`)
  const end = page.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`the page has no lines '${BEGIN}' and '${END}'`)
  return { begin: begin + BEGIN.length + 1, end }
}

function line({ target, what, published, predicted, band, ok }: Row): string {
  const verdict = ok === undefined ? '' : ok ? 'met' : 'MISSED'
  const cells = [target, what, published, predicted, band, verdict].map((cell) => cell.replaceAll('|', '\\|'))
  return `| ${cells.join(' | ')} |`
}

function finished(lines: readonly string[]): string {
  const met = lines.filter((text) => text.endsWith('| met |')).length
  const missed = lines.filter((text) => text.endsWith('| MISSED |')).length
  const count = `${met} of ${met + missed} judged figures lie in their band.`
  return `${[...HEAD, ...lines, '', count].join('\n')}\n`
}
