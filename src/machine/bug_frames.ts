// Where a stepped image stopped its machine: the stack of a BUG, with the functions that kbuild has put in place of
// their calls. Leaves out what was wrong, and where the other CPUs stand.
import { type Frame, placedFrames } from '../inspect/stack.ts'
import { type BugCalls, bugKey } from '../kbuild/bug_calls.ts'

/**
 * The kernel's frames of the stack of a KernelBug, innermost first.
 * @param image its module, with the source map beside it, and its calls of BUG() in other functions' text
 * @param root the package's folder, for the names of files
 */
export function bugFrames(
  stack: string,
  image: { readonly file: string; readonly bugs: BugCalls },
  root: string,
): Frame[] {
  return placedFrames(stack, image.file, root).flatMap(({ column, ...frame }) => {
    const inlined = image.bugs[bugKey(frame.file, frame.line, column)]
    return inlined?.map(({ fn, file, line }) => frameOf(fn, file, line)) ?? [plainName(frame)]
  })
}

/** A frame of a function that a site or kbuild names. */
export function frameOf(fn: string, file: string, line: number): Frame {
  return { function: fn, file, line, user: !/^(src|scenarios)\//.test(file) }
}

/** V8 says which object boot() returned an entry in, and that a generator went on. */
export function plainName(frame: Frame): Frame {
  return { ...frame, function: frame.function.replace(/^(Object|Generator)\.|\.next$/g, '') }
}
