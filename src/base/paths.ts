// Paths that a user names. Leaves out writing files: output.ts.
import { existsSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { UsageError } from './errors.ts'

/**
 * `text` with the home folder for a `~` that it begins with: shells leave one alone that stands within a word, as in
 * `PTLOCK=~/a.ts,~/b.ts`.
 */
export function expandHome(text: string): string {
  return /^~(?=$|[\\/])/.test(text) ? join(homedir(), text.slice(1)) : text
}

/** Absolute path of a file that must exist; `option` is what it was given to. */
export function existingFile(option: string, text: string): string {
  const path = resolve(expandHome(text))
  if (!existsSync(path)) throw new UsageError(`${option} ${text}: there is no such file.`)
  if (!statSync(path).isFile()) throw new UsageError(`${option} ${text}: expected a file, this is a folder.`)
  return path
}
