// The images that this process uses, in a folder of its own: whoever empties or trims the cache takes nothing from a
// run. Leaves out which image it is: index.ts.
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

const PREFIX = 'mmtorture-held-'
/**
 * Milliseconds after which a folder without its process is left over: another container may share the folder, but not
 * its processes.
 */
const LEFT_OVER = 24 * 3600 * 1000

let folder: string | undefined

/** The process's own folder for images, removed when it exits. Throws what mkdtempSync throws. */
export function heldFolder(): string {
  if (folder !== undefined && existsSync(folder)) return folder
  removeLeftOver()
  // Node names a module by its real path, and stacks are told by that name.
  const made = realpathSync(mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`)))
  process.on('exit', () => rmSync(made, { recursive: true, force: true }))
  folder = made
  return made
}

/**
 * The path of an image in the process's own folder, where `file` and its map are linked, or copied to another disk.
 * `file` itself where the folder cannot be made; undefined where the image is gone.
 */
export function hold(file: string): string | undefined {
  if (!existsSync(file) || !existsSync(`${file}.map`)) return undefined
  try {
    const held = join(heldFolder(), basename(file))
    // The image last: who finds it finds its map.
    for (const part of ['.map', '']) place(`${file}${part}`, `${held}${part}`)
    return held
  } catch {
    return existsSync(file) ? file : undefined
  }
}

function place(from: string, to: string): void {
  if (existsSync(to)) return
  try {
    linkSync(from, to)
  } catch {
    copyFileSync(from, to)
  }
}

/** What processes have left that were killed. */
function removeLeftOver(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 10) : Number.NaN
    if (Number.isNaN(pid) || isAlive(pid)) continue
    const path = join(tmpdir(), name)
    try {
      if (Date.now() - statSync(path).mtimeMs > LEFT_OVER) rmSync(path, { recursive: true, force: true })
    } catch {
      // Another user's, or another process was faster.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
