import { describe, expect, test } from 'vitest'
import { drawCalls } from '../../../validation/kernel/calls.ts'
import { LATER, laterThan61, patchOf } from '../../../validation/kernel/later.ts'
import { ModelKernel } from '../../../validation/kernel/model.ts'
import type { Call } from '../../../validation/kernel/calls.ts'
import * as layout from '../../../validation/kernel/layout.ts'

const call = (kind: number, ...args: number[]): Call => ({ process: 0, kind, args })
const mmap = (page: number, pages: number, prot: number): Call =>
  call(layout.CALL_MMAP, page, pages, prot, 0x32, -1, 0)

test('a release has what came before it', () => {
  expect(laterThan61('6.1.176')).toEqual([])
  expect(laterThan61('6.9.0-rc1').map(({ name }) => name)).toEqual([
    'mprotect-unaccount',
    'madvise-populate-stops',
  ])
  expect(laterThan61('7.0.1')).toEqual(LATER)
})

describe('the model of a later kernel', () => {
  const kernels = Promise.all([ModelKernel.build([]), ModelKernel.build(LATER.map(patchOf))])

  test.each<[string, Call[], unknown, unknown]>([
    [
      'mprotect-unaccount',
      [mmap(0, 2, 3), call(layout.CALL_MPROTECT, 0, 2, 1)],
      { mappings: [{ flags: 'ac rd' }] },
      { mappings: [{ flags: 'rd' }] },
    ],
    [
      'madvise-populate-stops',
      [mmap(2, 2, 3), call(layout.CALL_MADVISE, 0, 4, 23)],
      { mappings: [{ rss: 2 }] },
      { mappings: [{ rss: 0 }] },
    ],
    [
      'merge-unfaulted',
      [
        mmap(1, 1, 3),
        call(layout.CALL_WRITE, 1, 7),
        call(layout.CALL_MPROTECT, 1, 1, 1),
        mmap(0, 1, 3),
        call(layout.CALL_MPROTECT, 1, 1, 3),
      ],
      { mappings: [{ end: 1 }, { end: 2 }] },
      { mappings: [{ end: 2 }] },
    ],
    [
      'mremap-many-vmas',
      [mmap(0, 1, 1), mmap(1, 1, 3), call(layout.CALL_MREMAP, 0, 2, 2, 3, 8)],
      { calls: [{ result: 0 }, { result: 1 }, { result: -14 }] },
      { calls: [{ result: 0 }, { result: 1 }, { result: 8 }] },
    ],
  ])('%s', async (_, calls, before, after) => {
    const [old, late] = await kernels
    expect(old.run(calls)).toMatchObject(before as object)
    expect(late.run(calls)).toMatchObject(after as object)
  })
})

test('the model holds its checks in what the validation draws', async () => {
  const model = await ModelKernel.build([])
  for (let seed = 1; seed <= 4; seed++) expect(() => model.run(drawCalls(seed, 120))).not.toThrow()
})
