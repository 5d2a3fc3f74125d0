// Where an image calls BUG() and its relatives. A small function's body is put in the line of its call, and the source
// map knows lines: it cannot say whether the caller or the callee found something wrong.
import type { Frame } from '../step/site.ts'
import type { PassText } from './pass_text.ts'
import { position, type Source } from './source.ts'

/** By place in the image (`bugKey`): the function that calls, innermost, and those in whose text it stands now. */
export type BugCalls = Readonly<Record<string, readonly Frame[]>>

/** Names a place by its source file, line, and column in the image's text, both from 1, as a stack trace does. */
export function bugKey(file: string, line: number, column: number): string {
  return `${file}:${line}:${column}`
}

const CALL = /\b(?:(?:VM_)?BUG(?:_ON(?:_PAGE)?)?|machine_bug)\(/g

/** Of each such call in a text, in order: the call and its callers, if it stands in another function than it is of. */
export type BugOrigins = readonly (readonly Frame[] | undefined)[]

export function bugOrigins(text: PassText): BugOrigins {
  return [...text.code.matchAll(CALL)].map(({ index }) => {
    const { source, offset, fn, callers = [] } = text.origin(index)
    return fn === undefined
      ? undefined
      : [{ fn, file: source.id, line: position(source, offset).line }, ...callers]
  })
}

/** The calls that stand in another function than they are of, in the `code` of a module. */
export function bugCalls(source: Source, code: string, origins: BugOrigins): BugCalls {
  const calls: Record<string, readonly Frame[]> = {}
  let line = 1
  let from = 0
  for (const [which, { index }] of [...code.matchAll(CALL)].entries()) {
    for (let end = code.indexOf('\n', from); end >= 0 && end < index; end = code.indexOf('\n', from)) {
      line++
      from = end + 1
    }
    const frames = origins[which]
    if (frames !== undefined) calls[bugKey(source.id, line, index - from + 1)] = frames
  }
  return calls
}
