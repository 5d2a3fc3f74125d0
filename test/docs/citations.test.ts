// A reader of the repository has nothing but the repository: whatever page a text names must be in it.
import { readFileSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root } from './markdown.ts'

const FOLDERS = [
  '.ci',
  'bench',
  'docs',
  'examples',
  'reverts',
  'scenarios',
  'src',
  'test',
  'topologies',
  'validation',
  'workers',
]
/** Files of the repository, by their paths from the root. */
const files = [
  ...readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name),
  ...FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length)),
  ),
]
const paths = new Set(files)
const names = new Set(files.map((file) => basename(file)))
const texts = files.filter((file) => /\.(md|ts|json|patch|yml)$/.test(file) && file !== 'package-lock.json')

/**
 * The pages that a text in `file` names and the repository has not, each with its line. A bare name may be anywhere.
 */
function missingPages(file: string, text: string): string[] {
  return text.split('\n').flatMap((line, index) =>
    [...line.replaceAll(/https?:\/\/\S+/g, '').matchAll(/[\w$./{}-]*\.md\b/g)]
      .map(([page]) => page)
      // A page that the code computes, or one that stands for many: one of each ID.
      .filter((page) => /\w\.md$/.test(page) && !/[${}]|\bID\//.test(page))
      .filter((page) => !names.has(page) && !paths.has(page) && !paths.has(join(dirname(file), page)))
      .map((page) => `${file}:${index + 1}: ${page}`),
  )
}

describe('texts of the repository', () => {
  test('name no page that is not in it', () => {
    expect(texts.flatMap((file) => missingPages(file, readFileSync(join(root, file), 'utf8')))).toEqual([])
  })
})

describe('the rule', () => {
  const page = (name: string): string => `${name}.md`

  test('refuses a page that is nowhere, and one that is in another folder than said', () => {
    expect(missingPages('src/a.ts', `// One.\n// as ${page('KERNEL')} 6 says`)).toEqual([
      `src/a.ts:2: ${page('KERNEL')}`,
    ])
    expect(missingPages('src/a.ts', `(${page('other/hunting')})`)).toEqual([
      `src/a.ts:1: ${page('other/hunting')}`,
    ])
  })

  test('knows pages by their path from the root, from the file, and by their name', () => {
    const text = `${page('docs/hunting')}, ${page('race')}, https://a.org/${page('x')}`
    expect(missingPages('src/a.ts', text)).toEqual([])
    expect(missingPages('docs/checks.md', page('./hunting'))).toEqual([])
  })
})
