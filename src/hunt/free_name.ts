// A name for a file that is kept: what another run has written stays as it is.
import { existsSync, readFileSync } from 'node:fs'
import { parse } from 'node:path'

/** `path`, or, where a file with another text has that name, the first of `NAME-2.EXT`, `NAME-3.EXT`, … without one. */
export function freeName(path: string, text: string): string {
  const { dir, name, ext } = parse(path)
  for (let nth = 2, free = path; ; nth++) {
    if (!existsSync(free) || textOf(free) === text) return free
    free = `${dir}/${name}-${nth}${ext}`
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
