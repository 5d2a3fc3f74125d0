import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { UsageError } from '../../src/base/errors.ts'
import { buildHunt } from '../../src/hunt/build.ts'
import { parseConfig } from '../../src/kbuild/index.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'mmtorture-build-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A patch of one file of the kernel in which every `from` is `to`. */
function renamed(file: string, from: string, to: string): string {
  const path = join(folder, 'new.ts')
  writeFileSync(path, readFileSync(join(root, file), 'utf8').replaceAll(from, to))
  const patch = join(folder, `${to}.patch`)
  const args = ['-u', '--label', `a/${file}`, '--label', `b/${file}`, join(root, file), path]
  try {
    execFileSync('diff', args)
  } catch (error) {
    writeFileSync(patch, (error as { stdout: Buffer }).stdout)
  }
  return patch
}

test(
  'a patch that takes a name away by which a check goes is refused in one sentence, unless the ' +
    'check is off',
  async () => {
    const patch = renamed('src/kernel/mm/madvise_lru.ts', 'age_pte', 'older_pte')
    const built = (off: string[]): ReturnType<typeof buildHunt> =>
      buildHunt({
        config: parseConfig([
          'SPINLOCK=abstract',
          'MEMORY=1M',
          'PTRS_PER_TABLE=8',
          'PGTABLE_LEVELS=3',
          'NR_CPUS=2',
        ]),
        scenario: join(root, 'scenarios', 'same-page.ts'),
        patches: [patch],
        ...{ seed: 1, stepLimit: 100_000, off },
      })
    const sizes = { cpus: 2, operations: 2, pages: 3 }
    const made = (await built([])).make
    expect(() => made(sizes)).toThrow(
      new UsageError(
        'after the patch the kernel has no function age_pte, by which the check pte-transitions goes: ' +
          'it has to keep its name.',
      ),
    )
    expect((await built(['pte-transitions'])).make(sizes).observers).toHaveLength(1)
  },
)
