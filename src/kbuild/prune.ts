// The pass that takes dead code out of an image with steps: branches that a constant of the configuration decides, and
// functions that nobody calls. What is not there needs no generator and is no place that an execution could reach. A
// native image leaves this to the JavaScript engine.
import { evaluate } from './fold.ts'
import { factsOf } from './facts.ts'
import { type Memory, remembered } from './memory.ts'
import type { PassEdit, PassText } from './pass_text.ts'
import type { Node } from './source.ts'
import { forEachChild } from './syntax.ts'

/** The edits that replace every branch with a constant condition by what is left of it. */
export function pruneBranches(text: PassText): PassEdit[] {
  const edits: PassEdit[] = []
  const { code } = text

  const cut = (start: number, end: number, put = ''): void => {
    if (start < end || put !== '') edits.push({ start, end, text: put + lineEnds(code, start, end) })
  }
  // A block or an expression that is left stands in place of the whole; (…) must not go on from the line before.
  const keep = (node: Node, left: Node, before: string, behind: string, listed: boolean): void => {
    const opens = before + code[left.start]
    cut(node.start, left.start, (listed && opens.startsWith('(') ? ';' : '') + before)
    visit(left, listed && before === '')
    edits.push({ start: left.end, end: node.end, text: lineEnds(code, left.end, node.end) + behind })
  }

  function visit(node: Node, listed: boolean): void {
    if (node.type === 'IfStatement') {
      const value = constant(node.test)
      if (value !== undefined) {
        const left: Node | null = value ? node.consequent : node.alternate
        if (left) keep(node, left, '', '', listed)
        else cut(node.start, node.end, listed ? '' : '{}')
        return
      }
    } else if (node.type === 'ConditionalExpression') {
      const value = constant(node.test)
      if (value !== undefined) return keep(node, value ? node.consequent : node.alternate, '(', ')', listed)
    } else if (node.type === 'LogicalExpression' && node.operator !== '??') {
      const value = constant(node.left)
      if (value !== undefined) {
        if (Boolean(value) === (node.operator === '&&')) return keep(node, node.right, '(', ')', listed)
        return keep(node, node.left, '', '', listed)
      }
    }
    const list: Node[] | undefined =
      node.type === 'BlockStatement' ? node.body : node.type === 'SwitchCase' ? node.consequent : undefined
    if (!list) return forEachChild(node, (child) => visit(child, listed && child.start === node.start))
    if (node.test) visit(node.test, false)
    const end = list.findIndex(leaves) + 1 || list.length
    for (const statement of list.slice(0, end)) visit(statement, true)
    if (end < list.length) cut(list[end].start, list[list.length - 1].end)
  }

  for (const declaration of text.functions) {
    for (const parameter of declaration.params as Node[])
      if (parameter.type === 'AssignmentPattern') visit(parameter.right, false)
    visit(declaration.body, false)
  }
  return edits
}

/** The texts, of at most one function each, without the functions that are not reached from `roots`. */
export function dropUnreached(texts: readonly PassText[], roots: Iterable<string>): PassText[] {
  const byName = new Map<string, PassText>()
  for (const text of texts) for (const { name } of factsOf(text)) byName.set(name, text)
  const reached = new Set<string>()
  const queue = [...roots]
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const text = byName.get(name)
    if (!text || reached.has(name)) continue
    reached.add(name)
    queue.push(...text.called)
  }
  return texts.map((text) => {
    const dropped = factsOf(text).filter(({ name }) => !reached.has(name))
    if (dropped.length === 0) return text
    const names = dropped.map(({ name }) => name)
    return remembered(droppedFrom, text, names.join(), () =>
      text.edit(
        text.functions
          .filter((declaration) => names.includes(declaration.id.name))
          .map(({ start, end }) => ({ start, end, text: lineEnds(text.code, start, end) })),
      ),
    )
  })
}

const droppedFrom: Memory<PassText> = new WeakMap()

/** The line ends of a range of `code`. */
export function lineEnds(code: string, start: number, end: number): string {
  return code.slice(start, end).replace(/[^\n]/g, '')
}

/** Whether nothing behind a statement is reached. */
function leaves(node: Node): boolean {
  if (node.type === 'BlockStatement') return (node.body as Node[]).some(leaves)
  if (node.type === 'IfStatement') {
    const value = constant(node.test)
    const left: Node | null = value === undefined ? null : value ? node.consequent : node.alternate
    return left !== null && leaves(left)
  }
  return /^(Return|Break|Continue)Statement$/.test(node.type)
}

function constant(node: Node): number | boolean | undefined {
  return evaluate(node, () => undefined)
}
