// The example of docs/library.md is run as a reader would run it.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from './markdown.ts'

test(
  'the experiment of docs/library.md prints a row a seed, and finds the race',
  { timeout: 240_000 },
  () => {
    const page = readFileSync(join(root, 'docs/library.md'), 'utf8')
    const program = /```js library\n([\s\S]*?)```/.exec(page)![1]
    // In the package's own folder its name is known.
    const file = join(root, 'mmtorture-out', 'experiment.mjs')
    mkdirSync(join(root, 'mmtorture-out'), { recursive: true })
    writeFileSync(file, program)
    try {
      const { stdout, stderr } = spawnSync(process.execPath, [file], { cwd: root, encoding: 'utf8' })
      expect(stderr).toBe('')
      const [head, ...rows] = stdout.trim().split('\n')
      expect(head).toBe('seed,random,pos,pct')
      expect(rows.map((row) => Number(row.split(',')[0]))).toEqual(
        Array.from({ length: 20 }, (_, i) => i + 1),
      )
      expect(
        rows.flatMap((row) => row.split(',').slice(1)).filter((cell) => cell !== '').length,
      ).toBeGreaterThan(30)
    } finally {
      rmSync(file)
    }
  },
)
