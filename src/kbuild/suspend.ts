// The pass that makes a CPU's kernel stack a stack of generators: functions that can reach a step become generators,
// and calls of them delegate to them. What no step is reached from stays a plain function. Leaves out the steps
// themselves: announce.ts.
import { factsOf } from './facts.ts'
import type { PassEdit, PassText } from './pass_text.ts'
import { type Node, refuse } from './source.ts'
import { calleeName, forEachInside, listedStatements } from './syntax.ts'

/**
 * The functions of an image that must be generators: those in `roots`, and whatever calls a primitive or one of them.
 */
export function suspendedFunctions(
  texts: readonly PassText[],
  isPrimitive: (name: string) => boolean,
  roots: Iterable<string>,
): Set<string> {
  const callers = new Map<string, string[]>()
  const suspended = new Set<string>()
  const queue: string[] = []
  const add = (name: string): void => {
    if (suspended.has(name)) return
    suspended.add(name)
    queue.push(name)
  }
  for (const text of texts)
    for (const { name: caller, calls } of factsOf(text))
      for (const name of calls) {
        if (isPrimitive(name)) add(caller)
        else {
          const known = callers.get(name)
          if (known) known.push(caller)
          else callers.set(name, [caller])
        }
      }
  for (const root of roots) add(root)
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) callers.get(name)?.forEach(add)
  return suspended
}

/**
 * The edits that make generators of the `suspended` functions of a module.
 * Throws UsageError `file:line:column: sentence` for a step in the default value of a parameter.
 */
export function suspend(
  text: PassText,
  isPrimitive: (name: string) => boolean,
  suspended: ReadonlySet<string>,
): PassEdit[] {
  const edits: PassEdit[] = []
  for (const declaration of text.functions) {
    if (!suspended.has(declaration.id.name)) continue
    const star = declaration.start + 'function'.length
    edits.push({ start: star, end: star, text: '*' })
    const listed = listedStatements(declaration)
    const body: Node = declaration.body
    forEachInside(declaration, (node) => {
      const name = node.type === 'CallExpression' ? calleeName(node) : undefined
      if (name === undefined || !(suspended.has(name) || isPrimitive(name))) return
      if (node.start < body.start) refuseDefault(text, node, name)
      if (isPrimitive(name)) return
      edits.push(
        { start: node.start, end: node.start, text: `${listed.has(node.start) ? ';' : ''}(yield* ` },
        { start: node.end, end: node.end, text: ')' },
      )
    })
  }
  return edits
}

function refuseDefault(text: PassText, call: Node, name: string): never {
  const { source, offset } = text.origin(call.start)
  return refuse(
    source,
    { start: offset },
    `'${name}' reaches memory, which the default value of a parameter may not; call it in the function.`,
  )
}
