// Stack traces of an image: V8's frames, mapped to the kernel's sources through the image's source map, once, when
// something failed. Leaves out frames that are not the image's (the worker, comlink, Node).
import { readFileSync } from 'node:fs'
import { SourceMap, type SourceMapPayload } from 'node:module'
import { dirname, relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** Functions that ask on behalf of their caller: the caller is who noticed. */
export const HELPERS: ReadonlySet<string> = new Set([
  'BUG',
  'BUG_ON',
  'VM_BUG_ON_PAGE',
  'check_ptlock',
  'machine_bug',
  'lockdep_assert_held',
  'rwsem_assert_held',
])

/** A frame of a kernel stack. */
export interface Frame {
  readonly function: string
  /** Path from the package's folder, or absolute for a user's file. */
  readonly file: string
  readonly line: number
  /** Whether the file is neither the kernel's nor a scenario of the package. */
  readonly user: boolean
}

/**
 * The kernel's frames of `stack` (the text of an Error's stack), innermost first.
 * @param image absolute path of the image's module, with its map beside it
 * @param root the package's folder
 */
export function kernelFrames(stack: string, image: string, root: string): Frame[] {
  return placedFrames(stack, image, root).map(({ column: _, ...frame }) => frame)
}

/** The same frames, each with its column in the text of the image, from 1. */
export function placedFrames(stack: string, image: string, root: string): (Frame & { column: number })[] {
  const map = readMap(image)
  const url = pathToFileURL(image).href
  const frames: (Frame & { column: number })[] = []
  for (const text of stack.split('\n')) {
    const match = /^\s+at (?:(.+?) \()?(.+?):(\d+):(\d+)\)?$/.exec(text)
    if (match === null || (match[2] !== url && match[2] !== image)) continue
    const line = Number(match[3])
    const place = map?.findEntry(line - 1, Number(match[4]) - 1)
    const found = place !== undefined && 'originalSource' in place
    const path = found ? sourcePath(place.originalSource, image) : image
    const inside = relative(root, path).replaceAll('\\', '/')
    const user = !/^(src|scenarios)\//.test(inside)
    frames.push({
      function: match[1] ?? '(top level)',
      file: user ? path : inside,
      line: found ? place.originalLine + 1 : line,
      user: user && found,
      column: Number(match[4]),
    })
  }
  return frames
}

/** One frame as a line of a call trace. */
export function formatFrame(frame: Frame): string {
  return `${frame.function} ${frame.file}:${frame.line}`
}

function sourcePath(source: string, image: string): string {
  return source.startsWith('file:') ? fileURLToPath(source) : resolve(dirname(image), decodeURI(source))
}

/** The map that was read last: a profile asks for many stacks of one image. */
let last: { readonly image: string; readonly map: SourceMap | undefined } | undefined

function readMap(image: string): SourceMap | undefined {
  if (last?.image !== image) last = { image, map: parseMap(image) }
  return last.map
}

function parseMap(image: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${image}.map`, 'utf8')) as SourceMapPayload)
  } catch {
    return undefined
  }
}
