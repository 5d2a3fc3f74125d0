// Which places of a kernel are a candidate's.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { identify } from '../../src/judge/candidate.ts'
import { changeOf, placeOf } from '../../src/judge/change.ts'
import type { Site } from '../../src/step/site.ts'

const site = (about: Partial<Site>): Site => ({
  ...{ fn: 'do_idle', file: 'src/kernel/sched/core.ts', line: 7, column: 1, primitive: 'load' },
  ...about,
})

describe('of a design are', () => {
  const change = changeOf(identify('examples/ptlock/per-cpu-lock.ts'))

  test('the lines of its file', () => {
    const own = { fn: 'pte_lockptr', file: 'examples/ptlock/per-cpu-lock.ts', line: 30 }
    expect(placeOf(change, site(own))).toBe('examples/ptlock/per-cpu-lock.ts:30')
  })

  test('the lines of the kernel at which it is called, wherever the access lies', () => {
    const call = { fn: 'ptl_lock', file: 'src/kernel/locking/ptlock/ops/pte.ts', line: 17 }
    expect(change.functions).toContain('ptl_lock')
    expect(placeOf(change, site({ fn: 'spin_lock', callers: [call] }))).toBe(
      'src/kernel/locking/ptlock/ops/pte.ts:17',
    )
  })

  test('no others', () => {
    expect(placeOf(change, site({}))).toBeUndefined()
  })
})

describe('of a patch are', () => {
  test('the functions that it changes', () => {
    const { functions, files } = changeOf(identify('reverts/no-recheck-pte-alloc/revert.patch'))
    expect([...functions]).toEqual(['pmd_install'])
    expect(files.size).toBe(0)
  })

  test('all functions of a file of which it changes something else', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mmtorture-judge-'))
    try {
      const path = join(folder, 'classes.patch')
      writeFileSync(
        path,
        [
          '--- a/src/kernel/locking/ptlock/pte.ts',
          '+++ b/src/kernel/locking/ptlock/pte.ts',
          '@@ -1,2 +1,3 @@',
          ' /**',
          '+ * More.',
          "  * PTLOCK=pte: a lock for each PTE table, in its struct page; the mm's for all tables " +
            'above (Linux 2.6.15 to 3.12).',
          '',
        ].join('\n'),
      )
      expect([...changeOf(identify(path)).functions]).toContain('pte_lockptr')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
