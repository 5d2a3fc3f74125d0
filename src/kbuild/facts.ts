// What the functions of a text name and call, read once for each text. Leaves out what that means: steps.ts.
import type { PassText } from './pass_text.ts'
import { calleeName, forEachInside, localsOf } from './syntax.ts'

export interface FunctionFacts {
  readonly name: string
  /** The functions that it calls. */
  readonly calls: ReadonlySet<string>
  /** Whether it looks into an object. */
  readonly members: boolean
  /** What it names that is not its own. */
  readonly names: ReadonlySet<string>
}

const known = new WeakMap<PassText, readonly FunctionFacts[]>()

/** Facts of each function of a text, in their order. */
export function factsOf(text: PassText): readonly FunctionFacts[] {
  let facts = known.get(text)
  if (!facts) known.set(text, (facts = text.functions.map(factsOfFunction)))
  return facts
}

function factsOfFunction(declaration: PassText['functions'][number]): FunctionFacts {
  const locals = localsOf(declaration)
  const calls = new Set<string>()
  const names = new Set<string>()
  let members = false
  forEachInside(declaration, (node) => {
    if (node.type === 'MemberExpression') members = true
    const name =
      node.type === 'Identifier'
        ? node.name
        : node.type === 'MemberExpression'
          ? node.object.name
          : node.type === 'CallExpression'
            ? calleeName(node)
            : undefined
    if (name === undefined) return
    if (node.type === 'CallExpression') calls.add(name)
    if (!locals.has(name)) names.add(name)
  })
  return { name: declaration.id.name, calls, members, names }
}
