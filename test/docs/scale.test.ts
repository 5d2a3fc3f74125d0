// The table of the validation in docs/scale.md has every target, and no other.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isOf, tableLines } from '../../validation/table.ts'
import { TARGETS } from '../../validation/targets/index.ts'
import { root } from './markdown.ts'

const lines = tableLines(readFileSync(join(root, 'docs/scale.md'), 'utf8'))

test('the table names every target of the validation', () => {
  const missing = TARGETS.filter((target) => !lines.some((line) => isOf(line, target)))
  expect(missing.map(({ name }) => name)).toEqual([])
})

test('every row of the table belongs to one target', () => {
  const wrong = lines.filter((line) => TARGETS.filter((target) => isOf(line, target)).length !== 1)
  expect(wrong).toEqual([])
})
