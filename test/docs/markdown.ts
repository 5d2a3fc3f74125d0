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
 * The shape of a report: each line that begins at the margin, reduced to its words up to the first figure. Figures, elisions (…)
 * and continued lines are left out, since they differ from run to run, and so are the rows of an interleaving and its rules (----),
 * since any edit of the kernel changes them.
 */
export function shape(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => /^[^\s…]/.test(line) && !/^([A-Z]\d+ |--)/.test(line))
    .map((line) => (/ {2}/.test(line) ? line.split(/ {2}/)[0] : line.replace(/[\d(,].*$/, '')).trim())
    .filter((line) => line !== '')
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
