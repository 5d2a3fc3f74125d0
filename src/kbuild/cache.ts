// Where built images lie: files named by what they were built from, written under a temporary name and renamed, and the
// files that were not used for longest deleted when there are too many. The user may empty the folder at any time.
// Leaves out what an image is.
import { createHash, randomBytes } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  constants,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { makeFolder } from '../base/output.ts'

/** Bytes: some 300 images. */
const BOUND = 512 * 2 ** 20

/** The first 20 hexadecimal digits of the SHA-256 of `parts`; a part's end counts. */
export function hashOf(...parts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${part.length}:`).update(part)
  return hash.digest('hex').slice(0, 20)
}

/** The user's cache folder for images: $XDG_CACHE_HOME or ~/.cache, and there mmtorture. */
export function cacheFolder(): string {
  const base = process.env.XDG_CACHE_HOME
  return join(base !== undefined && base.startsWith('/') ? base : join(homedir(), '.cache'), 'mmtorture')
}

/** Where images go when the cache folder cannot be written. */
export function fallbackFolder(): string {
  let user = 'user'
  try {
    user = String(userInfo().uid)
  } catch {
    // An account without a name has no entry to ask for.
  }
  return join(tmpdir(), `mmtorture-${user}`)
}

/**
 * Whether `folder` is this user's alone, so that the code in it may be run: a directory of theirs that they can write,
 * and that nobody else may enter. Makes it so where it is missing or theirs; never throws.
 */
export function isOwn(folder: string): boolean {
  try {
    makeFolder(dirname(folder))
    mkdirSync(folder, { mode: 0o700 })
  } catch {
    // It is there already, or it is missing below.
  }
  try {
    accessSync(folder, constants.W_OK)
    const user = process.getuid?.()
    if (user === undefined) return statSync(folder).isDirectory()
    const { uid, mode } = statSync(folder)
    // A link to it has to be the user's as well.
    if (uid !== user || lstatSync(folder).uid !== user || !statSync(folder).isDirectory()) return false
    if ((mode & 0o077) !== 0) chmodSync(folder, 0o700)
    return true
  } catch {
    return false
  }
}

/** Notes that the files were used now. */
export function touch(paths: readonly string[]): void {
  const now = new Date()
  for (const path of paths)
    try {
      utimesSync(path, now, now)
    } catch {
      // It was deleted, or it is on a disk that is read-only.
    }
}

/**
 * Deletes the files in `folder` and below that were not used for longest, until those that are left have at most
 * `bound` bytes.
 */
export function trim(folder: string, bound: number = BOUND): void {
  const files = filesIn(folder).toSorted((left, right) => right.used - left.used)
  let bytes = 0
  for (const { path, size } of files) {
    bytes += size
    if (bytes > bound) rmSync(path, { force: true })
  }
}

function filesIn(folder: string): { path: string; size: number; used: number }[] {
  try {
    return readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .flatMap((entry) => {
        const path = join(entry.parentPath, entry.name)
        // Another process trims as well.
        const stat = statSync(path, { throwIfNoEntry: false })
        return stat === undefined ? [] : [{ path, size: stat.size, used: stat.mtimeMs }]
      })
  } catch {
    return []
  }
}

/**
 * Writes `files` (name -> text) into the first of `folders` that takes them, and returns that folder. Each file is
 * renamed to its name when it is complete, in the order given, so the last one can stand for all. Throws when no folder
 * takes them.
 */
export function store(folders: readonly string[], files: ReadonlyMap<string, string>): string {
  let failure: unknown
  for (const folder of folders) {
    try {
      makeFolder(folder)
      for (const [name, text] of files) writeRenamed(join(folder, name), text)
      return folder
    } catch (error) {
      failure = error
    }
  }
  throw new Error(`no folder for built kernels can be written: ${folders.join(', ')}`, { cause: failure })
}

function writeRenamed(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`
  try {
    writeFileSync(temporary, text)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

/** The text of a file; undefined when it cannot be read. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
