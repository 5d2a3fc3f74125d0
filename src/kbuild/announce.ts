// The pass that announces steps: each call of a primitive tells the machine what it is about to do, lets it decide who
// goes on, and only then does it.
//
//   prim(p, a)   becomes   (S(KIND, p, a, 0, SITE) && (yield), X())     stepped: S says whether another CPU goes on
//                          (S(KIND, p, a, 0, SITE), X())                gated: S returns when this CPU may go on
//
// Leaves out making generators of the functions: suspend.ts.
import type { Site } from '../step/site.ts'
import type { PassEdit, PassText } from './pass_text.ts'
import { OPERANDS } from './primitives.ts'
import { type Node, position } from './source.ts'
import { calleeName, forEachInside, listedStatements } from './syntax.ts'

export type AnnouncedKind = 'stepped' | 'gated'

/**
 * The edits that announce the steps of a module. A site is added to `sites` for each, and its index is the step's SITE.
 * @param primitives name of each primitive -> kind of its step
 * @param number the text of a site's number
 */
export function announce(
  text: PassText,
  kind: AnnouncedKind,
  primitives: ReadonlyMap<string, number>,
  sites: Site[],
  number: (site: number) => string = String,
): PassEdit[] {
  const edits: PassEdit[] = []
  const between = kind === 'stepped' ? ' && (yield), X())' : ', X())'
  for (const declaration of text.functions) {
    const listed = listedStatements(declaration)
    forEachInside(declaration, (node) => {
      const name = node.type === 'CallExpression' ? calleeName(node) : undefined
      const step = name === undefined ? undefined : primitives.get(name)
      if (name === undefined || step === undefined) return
      const site = sites.push(siteOf(text, node, declaration.id.name, name)) - 1
      const opening = text.code.indexOf('(', node.callee.end)
      edits.push(
        { start: node.start, end: node.callee.end, text: `${listed.has(node.start) ? ';' : ''}(S` },
        { start: opening + 1, end: opening + 1, text: `${step}, ` },
        closing(text, node, opening + 1, `${number(site)})${between}`),
      )
    })
  }
  return edits
}

/** Replaces the end of a call's arguments: fills up the operands, then `text`. */
function closing(text: PassText, call: Node, opened: number, rest: string): PassEdit {
  const args = call.arguments as Node[]
  const start = args.length > 0 ? args[args.length - 1].end : opened
  // A comma behind the last argument goes, line ends stay.
  const space = text.code.slice(start, call.end - 1).replace(',', '')
  const operands = Array.from({ length: OPERANDS - args.length }, () => '0')
  const separator = args.length > 0 ? ', ' : ''
  return { start, end: call.end, text: `${space}${separator}${[...operands, rest].join(', ')}` }
}

function siteOf(text: PassText, call: Node, fn: string, primitive: string): Site {
  const { source, offset, helper, callers, fn: own = fn } = text.origin(call.start)
  const site = { fn: own, file: source.id, ...position(source, offset), primitive }
  return { ...site, ...(helper && { helper }), ...(callers && { callers }) }
}
