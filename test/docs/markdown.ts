// Reads the pages of the project: their fenced blocks, and what a shell block runs.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Block {
  readonly page: string
  /** Line of the opening fence, from 1. */
  readonly line: number
  readonly language: string
  /** The words behind the language. */
  readonly info: readonly string[]
  readonly text: string
}

/** The fenced blocks of a page, in order. */
export function blocks(page: string): Block[] {
  const found: Block[] = []
  const lines = readFileSync(join(root, page), 'utf8').split('\n')
  for (let at = 0; at < lines.length; at++) {
    const [language, ...info] = /^```(\w.*)$/.exec(lines[at])?.[1].split(' ') ?? []
    if (language === undefined) continue
    const end = lines.indexOf('```', at + 1)
    if (end < 0) throw new Error(`${page}:${at + 1}: a block without an end`)
    found.push({ page, line: at + 1, language, info, text: lines.slice(at + 1, end).join('\n') })
    at = end
  }
  return found
}

/** A command of a page, with the exit status that the page says and the output that it shows. */
export interface Example {
  readonly command: string
  readonly where: string
  readonly status: number
  readonly shown?: string
}

/** The `mmtorture` commands of a page's shell blocks. A text block behind one shows the output of its last command. */
export function examples(page: string): Example[] {
  const all = blocks(page)
  return all.flatMap((block, index) => {
    if (block.language !== 'sh') return []
    const status = Number(block.info.find((word) => word.startsWith('exit='))?.slice('exit='.length) ?? 0)
    const commands = block.text.split('\n').filter((line) => line.startsWith('npx mmtorture '))
    const next = all[index + 1]
    return commands.map((command, n) => ({
      command,
      where: `${page}:${block.line + 1 + n}`,
      status,
      ...(next?.language === 'text' && n === commands.length - 1 ? { shown: next.text } : {}),
    }))
  })
}

/**
 * The shape of a report: each line that begins at the margin, reduced to its words up to the first figure. Figures,
 * elisions (…) and continued lines are left out, since they differ from run to run, and so are the rows of an
 * interleaving and its rules (----), since any edit of the kernel changes them.
 */
export function shape(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => /^[^\s…]/.test(line) && !/^([A-Z]\d+ |--)/.test(line))
    .map((line) => (/ {2}/.test(line) ? line.split(/ {2}/)[0] : line.replace(/[\d(,].*$/, '')).trim())
    .filter((line) => line !== '')
}

/**
 * Whether a command's output is the same each time but for times and rates: hunts with a seed, replays, and
 * predictions.
 */
export function isDeterministic(command: string): boolean {
  return (
    /^npx mmtorture (?:hunt|replay|scale) /.test(command) &&
    !/--seconds|--calibrate|--topology host/.test(command)
  )
}

/** A line without what depends on the host: times and rates of a hunt, and how wide its columns are for them. */
function withoutRates(line: string): string {
  return line
    .replace(/[\d,]+\/s\b/g, '…/s')
    .replace(/\b(in|after) [\d.]+ s\b/g, '$1 … s')
    .replace(/-{3,}/g, '---')
    .replace(/\s+/g, ' ')
    .trimEnd()
}

/**
 * The first line of a shown report that the real one does not have, in this order and figure for figure, but for times
 * and rates; undefined if it has all. `…` in a shown line stands for any text, and a line of its own for any lines.
 */
export function differing(shown: string, actual: string): string | undefined {
  const lines = actual.split('\n').map(withoutRates)
  let at = 0
  for (const line of shown.split('\n')) {
    const expected = withoutRates(line)
    if (expected.trim() === '' || expected.trim() === '…') continue
    const found = lines.findIndex((text, index) => index >= at && pattern(expected).test(text))
    if (found < 0) return line
    at = found + 1
  }
  return undefined
}

/** What a line with `…` in it matches. */
function pattern(line: string): RegExp {
  return new RegExp(
    `^${line
      .split('…')
      .map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  )
}

/**
 * A shown report with the figures of the real one: each line becomes the next one that differs from it in figures
 * alone. Lines with `…` in them stay. Throws for a line that has no such counterpart: its sample is to be chosen again
 * by hand.
 */
export function renewed(shown: string, actual: string): string {
  const bare = (line: string): string => withoutRates(line).replace(/\d[\d,.]*/g, '#')
  const lines = actual.split('\n')
  let at = 0
  return shown
    .split('\n')
    .map((line) => {
      if (line.trim() === '' || line.includes('…')) return line
      const found = lines.findIndex((text, index) => index >= at && bare(text) === bare(line))
      if (found < 0) throw new Error(`the report has no line like this any more: ${line}`)
      at = found + 1
      return lines[found]
    })
    .join('\n')
}

/** The first line of `expected` that `actual` does not have, in this order; undefined if it has all. */
export function missing(expected: readonly string[], actual: readonly string[]): string | undefined {
  let at = 0
  for (const line of expected) {
    const found = actual.indexOf(line, at)
    if (found < 0) return line
    at = found + 1
  }
  return undefined
}
