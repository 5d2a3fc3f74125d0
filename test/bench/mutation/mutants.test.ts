import { describe, expect, it } from 'vitest'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KINDS } from '../../../bench/mutation/kinds.ts'
import { allMutants, drawMutants } from '../../../bench/mutation/mutants.ts'
import { packageRoot } from '../../../src/base/root.ts'
import { applyPatches } from '../../../src/kbuild/patch.ts'

const mutants = allMutants(packageRoot())

describe('the mutants of the kernel', () => {
  it('are of every kind', () => {
    expect(new Set(mutants.map(({ kind }) => kind))).toEqual(new Set(KINDS))
  })

  it('are none of the data oracle or of statistics', () => {
    expect(mutants.filter(({ file }) => /oracle|vmstat|lockdep/.test(file))).toEqual([])
  })

  it('are patches that apply, and change one file each', { timeout: 120_000 }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'mmtorture-mutants-'))
    try {
      for (const { patch, file } of drawMutants(mutants, 160, 1)) {
        const path = join(folder, 'mutant.patch')
        writeFileSync(path, patch)
        expect([...applyPatches(packageRoot(), [path]).keys()]).toEqual([join(packageRoot(), file)])
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('drawMutants', () => {
  it('draws the same for a seed, and others for another', () => {
    expect(drawMutants(mutants, 40, 1)).toEqual(drawMutants(mutants, 40, 1))
    expect(drawMutants(mutants, 40, 1)).not.toEqual(drawMutants(mutants, 40, 2))
  })

  it('draws as many of each kind, and none twice', () => {
    const drawn = drawMutants(mutants, KINDS.length * 5, 3)
    for (const kind of KINDS) expect(drawn.filter((mutant) => mutant.kind === kind)).toHaveLength(5)
    expect(new Set(drawn.map(({ patch }) => patch)).size).toBe(drawn.length)
  })

  it('draws all when there are no more', () => {
    expect(drawMutants(mutants.slice(0, 10), 40, 1)).toHaveLength(10)
  })
})
