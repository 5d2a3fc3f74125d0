// Where built images lie: files named by what they were built from, written under a temporary name and renamed. Leaves out
// what an image is; and nothing is ever deleted but temporary files (the folder is a cache, the user may empty it).
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { makeFolder } from '../base/output.ts'

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
 * Writes `files` (name -> text) into the first of `folders` that takes them, and returns that folder. Each file is renamed to
 * its name when it is complete, in the order given, so the last one can stand for all. Throws when no folder takes them.
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
