// Where an image calls BUG() and its relatives. A small function's body is put in the line of its call, and the source
// map knows lines: it cannot say whether the caller or the callee found something wrong.
import type { Frame } from '../step/site.ts'
import type { PassText } from './pass_text.ts'
import { position } from './source.ts'

/** By place in the image (`bugKey`): the function that calls, innermost, and those in whose text it stands now. */
export type BugCalls = Readonly<Record<string, readonly Frame[]>>

/** Names a place by its source file, line, and column in the image's text, both from 1, as a stack trace does. */
export function bugKey(file: string, line: number, column: number): string {
  return `${file}:${line}:${column}`
}

/**
 * The calls in `text` that stand in another function than they are of. `before`: the text of the module that goes
 * before it.
 */
export function bugCalls(text: PassText, before: string): BugCalls {
  const calls: Record<string, readonly Frame[]> = {}
  for (const { index } of text.code.matchAll(/\b(?:(?:VM_)?BUG(?:_ON(?:_PAGE)?)?|machine_bug)\(/g)) {
    const { source, offset, fn, callers = [] } = text.origin(index)
    if (fn === undefined) continue
    const lines = (before + text.code.slice(0, index)).split('\n')
    const frame = { fn, file: source.id, line: position(source, offset).line }
    calls[bugKey(text.source.id, lines.length, lines[lines.length - 1].length + 1)] = [frame, ...callers]
  }
  return calls
}
