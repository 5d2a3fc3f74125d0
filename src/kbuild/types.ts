// Blanks what is TypeScript only, in place: every other character keeps its line and column. Leaves out whole
// statements at the top of a module (type declarations, imports), which modules.ts lists.
import type { Node } from './source.ts'
import { forEachChild } from './syntax.ts'

export type Range = readonly [start: number, end: number]

/**
 * Ranges of the types inside a function declaration that rules.ts has accepted: annotations, `as T`, `satisfies T`,
 * `!`, type parameters and arguments, `?` and `!` after names.
 */
export function typeRanges(declaration: Node): Range[] {
  const ranges: Range[] = []
  const whole = (node: Node | null | undefined): void => {
    if (node) ranges.push([node.start, node.end])
  }
  // The range of a name with a type reaches to the end of the type; a `?` or `!` stands between the two.
  const name = (id: Node): void => {
    if (id.typeAnnotation || id.optional) ranges.push([id.start + id.name.length, id.end])
  }
  function visit(node: Node): void {
    switch (node.type) {
      case 'TSAsExpression':
      case 'TSSatisfiesExpression':
      case 'TSNonNullExpression':
        ranges.push([node.expression.end, node.end])
        break
      case 'TSInterfaceDeclaration':
      case 'TSTypeAliasDeclaration':
        return whole(node)
      case 'VariableDeclarator':
        name(node.id)
        break
      case 'CallExpression':
        whole(node.typeArguments)
        visit(node.callee)
        break
      case 'MemberExpression':
        visit(node.object)
        break
    }
    forEachChild(node, visit)
  }
  whole(declaration.typeParameters)
  whole(declaration.returnType)
  for (const parameter of declaration.params as Node[]) {
    name(parameter.type === 'AssignmentPattern' ? parameter.left : parameter)
    if (parameter.type === 'AssignmentPattern') visit(parameter.right)
  }
  visit(declaration.body)
  return ranges
}

/** `text` with spaces in the ranges; line ends stay. */
export function blank(text: string, ranges: readonly Range[]): string {
  const parts: string[] = []
  let at = 0
  for (const [start, end] of ranges.toSorted((a, b) => a[0] - b[0])) {
    if (end <= at) continue
    const from = Math.max(start, at)
    const blanked = text.slice(from, end)
    parts.push(text.slice(at, from))
    parts.push(blanked.includes('\n') ? blanked.replace(/[^\r\n]/g, ' ') : ' '.repeat(blanked.length))
    at = end
  }
  parts.push(text.slice(at))
  return parts.join('')
}
