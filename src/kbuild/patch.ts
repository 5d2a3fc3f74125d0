// Applies unified diffs to kernel sources before they are linked. Leaves out creating, deleting and renaming files.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type StructuredPatch, applyPatch, parsePatch } from 'diff'
import { UsageError } from '../base/errors.ts'

/** The folders whose files a patch may change, from the package's folder. */
const PATCHED = ['src/kernel/', 'scenarios/']

/**
 * The sources that `patches` (paths of unified diffs, applied in order) change: absolute path -> patched text. Paths
 * inside a patch count from `root`, with or without the `a/` and `b/` that version control puts before them. Throws
 * UsageError for a file that cannot be read or is no diff, a file outside the kernel, and a hunk that does not apply.
 */
export function applyPatches(root: string, patches: readonly string[]): Map<string, string> {
  const texts = new Map<string, string>()
  for (const file of patches) {
    for (const change of readPatch(file)) {
      const name = changedFile(root, file, change)
      const path = join(root, name)
      const text = texts.get(path) ?? readFileSync(path, 'utf8')
      texts.set(path, applyHunks(text, change, `${file}: ${name}`))
    }
  }
  return texts
}

function readPatch(file: string): StructuredPatch[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new UsageError(
      missing ? `there is no patch file ${file}.` : `cannot read the patch ${file}: ${String(error)}.`,
    )
  }
  let changes: StructuredPatch[]
  try {
    changes = parsePatch(text).filter((change) => change.hunks.length > 0)
  } catch (error) {
    throw new UsageError(`${file} is not a unified diff: ${(error as Error).message}.`, { cause: error })
  }
  if (changes.length === 0)
    throw new UsageError(`${file} holds no change; expected a unified diff of kernel sources.`)
  return changes
}

function changedFile(root: string, file: string, change: StructuredPatch): string {
  const [before, after] = [change.oldFileName, change.newFileName]
  if (before === '/dev/null' || after === '/dev/null')
    throw new UsageError(
      `${file}: a patch changes files that exist; it cannot add or delete ${after === '/dev/null' ? before : after}.`,
    )
  for (const name of [after, before]) {
    if (name === undefined) continue
    for (const candidate of [name, name.replace(/^[ab]\//, '')]) {
      const allowed = PATCHED.some((folder) => candidate.startsWith(folder)) && !candidate.includes('..')
      if (allowed && existsSync(join(root, candidate))) return candidate
    }
  }
  throw new UsageError(
    `${file}: ${after ?? before ?? 'a change without a file name'} is no source of the kernel; paths ` +
      'start with src/kernel/.',
  )
}

function applyHunks(text: string, change: StructuredPatch, where: string): string {
  const whole = applyPatch(text, change)
  if (whole !== false) return whole
  // The first hunk that spoils the sequence is the one to name.
  const count = change.hunks.length
  for (let n = 1; n <= count; n++) {
    if (applyPatch(text, { ...change, hunks: change.hunks.slice(0, n) }) !== false) continue
    const { oldStart, oldLines } = change.hunks[n - 1]
    throw new UsageError(
      `${where}: hunk ${n} of ${count} (line ${oldStart}, ${oldLines} lines) does not apply; the source differs there.`,
    )
  }
  throw new UsageError(`${where}: the patch does not apply.`)
}
