// Paths that a user names. Leaves out writing files: output.ts.
import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { UsageError } from './errors.ts'

/** Absolute path of a file that must exist; `option` is what it was given to. */
export function existingFile(option: string, text: string): string {
  const path = resolve(text)
  if (!existsSync(path)) throw new UsageError(`${option} ${text}: there is no such file.`)
  if (!statSync(path).isFile()) throw new UsageError(`${option} ${text}: expected a file, this is a folder.`)
  return path
}
