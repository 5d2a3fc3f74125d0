// Finds the package's own folder, whether this code runs from src/ or from dist/.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

let found: string | undefined

/** Absolute path of the folder that holds package.json, src/kernel and scenarios. */
export function packageRoot(): string {
  if (found !== undefined) return found
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder)
    if (parent === folder) throw new Error('mmtorture is incomplete: no package.json above its code')
    folder = parent
  }
  found = folder
  return folder
}
