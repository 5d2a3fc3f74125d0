// docs/seeds.md is complete and true as far as a program can tell: names, files and tests that it lists exist.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const names = readFileSync(join(root, 'test/docs/fixtures/seed-names.txt'), 'utf8').trim().split('\n')

interface Row {
  readonly name: string
  readonly where: string
  readonly test: string
}

/** The rows of all tables of the page, without headings. */
function rows(text: string): Row[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => {
      const cells = line
        .replace(/^\||\|$/g, '')
        .split('|')
        .map((cell) => cell.trim())
      if (cells.length !== 3) throw new Error(`expected three cells: ${line}`)
      return { name: cells[0].replaceAll('`', ''), where: cells[1], test: cells[2] }
    })
}

const listed = rows(readFileSync(join(root, 'docs/seeds.md'), 'utf8'))

/** What is wrong with a row; undefined if nothing. */
function wrongFile({ name, where }: Row): string | undefined {
  if (/^(not yet: |left out because: )./.test(where)) return undefined
  const match = /^`([^`]+)`(?: as `([^`]+)`)?$/.exec(where)
  if (match === null) return `${name}: '${where}' is no file, 'not yet: …' or 'left out because: …'`
  const [, file, as] = match
  if (!existsSync(join(root, file))) return `${name}: there is no ${file}`
  const word = (as ?? name).replace(/[$().]/g, String.raw`\$&`)
  const source = readFileSync(join(root, file), 'utf8')
  return new RegExp(String.raw`(?<![\w$])${word}(?![\w$])`).test(source)
    ? undefined
    : `${name}: ${file} has no ${as ?? name}`
}

describe('docs/seeds.md', () => {
  test('has every name of the seeds', () => {
    const known = new Set(listed.map((row) => row.name))
    expect(names.filter((name) => !known.has(name))).toEqual([])
  })

  test('has no name twice', () => {
    expect(listed.map((row) => row.name).filter((name, index, all) => all.indexOf(name) !== index)).toEqual(
      [],
    )
  })

  test('names files that exist and have what they are named for', () => {
    expect(listed.map(wrongFile).filter((problem) => problem !== undefined)).toEqual([])
  })

  test('names tests that exist', () => {
    const wrong = listed.filter((row) => {
      if (row.where.startsWith('left out')) return row.test !== ''
      if (row.test === 'not yet') return false
      const file = /^`(test\/[^`]+\.test\.ts)`$/.exec(row.test)?.[1]
      return file === undefined || !existsSync(join(root, file))
    })
    expect(wrong).toEqual([])
  })

  test('has no test for what does not exist yet', () => {
    expect(listed.filter((row) => row.where.startsWith('not yet') && row.test !== 'not yet')).toEqual([])
  })
})

describe('the rules of docs/seeds.md', () => {
  test('find a file that is missing, and a name that its file does not have', () => {
    expect(wrongFile({ name: 'get_page', where: '`src/kernel/mm/none.ts`', test: '' })).toMatch(/there is no/)
    expect(wrongFile({ name: 'no_such_function', where: '`src/kernel/mm/mm.ts`', test: '' })).toMatch(
      /has no/,
    )
    expect(wrongFile({ name: 'get_page', where: 'somewhere', test: '' })).toMatch(/is no file/)
  })
})
