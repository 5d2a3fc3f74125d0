// A source file of the image and the way errors name a place in it. Leaves out what the file means: modules.ts.
import { UsageError } from '../base/errors.ts'

/** What kbuild knows of any syntax node: the parser's ESTree, of which rules.ts accepts a small part. */
// oxlint-disable-next-line typescript/no-explicit-any -- a visitor over all node types
export type Node = { type: string; start: number; end: number; [field: string]: any }

export interface Source {
  /** Absolute path. */
  readonly path: string
  /** The name in messages and hashes: from the package's folder for its own files. */
  readonly id: string
  /** The text with patches applied. */
  readonly text: string
  readonly patched: boolean
}

/** A replacement of the text in [start, end). */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** `file:line:column` of an offset; lines and columns count from 1. */
export function place(source: Source, offset: number): string {
  const before = source.text.slice(0, offset)
  const line = before.split('\n').length
  return `${source.id}:${line}:${offset - before.lastIndexOf('\n')}`
}

const starts = new WeakMap<Source, number[]>()

/** Line and column of an offset, from 1; for many offsets of one source. */
export function position(source: Source, offset: number): { line: number; column: number } {
  let lines = starts.get(source)
  if (!lines) {
    lines = [0]
    for (let at = source.text.indexOf('\n'); at >= 0; at = source.text.indexOf('\n', at + 1))
      lines.push(at + 1)
    starts.set(source, lines)
  }
  let low = 0
  let high = lines.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (lines[middle] <= offset) low = middle
    else high = middle - 1
  }
  return { line: low + 1, column: offset - lines[low] + 1 }
}

/** Refuses the source at `node`: a UsageError `file:line:column: sentence`. */
export function refuse(source: Source, node: { start: number }, sentence: string): never {
  throw new UsageError(`${place(source, node.start)}: ${sentence}`)
}
