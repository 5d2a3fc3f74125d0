// Numbers of the kernel that the host reads by: they come from the image, and are not written a second time.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { readSwapEntry } from '../../src/inspect/swap_entries.ts'

const src = fileURLToPath(new URL('../../src', import.meta.url))

test('no file of checks or inspect shifts by a number that the kernel has a name for', () => {
  const found = ['checks', 'inspect'].flatMap((folder) =>
    readdirSync(join(src, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) =>
        readFileSync(join(src, folder, file), 'utf8')
          .split('\n')
          .filter((line) => /(<<|>>) 12\b|1 << [1-9]/.test(line))
          .map((line) => `${folder}/${file}: ${line.trim()}`),
      ),
  )
  expect(found).toEqual([])
})

test('an entry that is not present is read by the numbers of its image', () => {
  const s = {
    ...{
      PFN_SHIFT: 16,
      SWP_TYPE_SHIFT: 4,
      SWP_TYPE_MASK: 7,
      SWP_MIGRATION_READ: 3,
      SWP_MIGRATION_READ_EXCLUSIVE: 4,
    },
    ...{
      SWP_MIGRATION_WRITE: 5,
      SWP_DEVICE_PRIVATE: 6,
      SWP_DEVICE_EXCLUSIVE: 8,
      SWP_HWPOISON: 9,
      SWP_PTE_MARKER: 7,
    },
    ...{ _PAGE_SWP_EXCLUSIVE: 8, _PAGE_SOFT_DIRTY: 128, _PAGE_UFFD_WP: 256 },
  }
  const entry = (type: number, bits = 0): ReturnType<typeof readSwapEntry> =>
    readSwapEntry(s, (5 << 16) | (type << 4) | bits)
  expect(entry(2, 8)).toEqual({ kind: 'swap', device: 1, offset: 5, exclusive: true })
  expect(entry(5)).toMatchObject({ kind: 'migration', offset: 5, exclusive: false })
  expect(entry(7).kind).toBe('error')
})
