// Blanks the types of a whole TypeScript module, in place: lines and columns stay. For modules that run on the host,
// such as a user's scheduler; kernel code has its own, stricter pass (types.ts). What is more than types (enum,
// namespace, parameter properties) is refused.
import { parseSync } from 'oxc-parser'
import { UsageError } from '../base/errors.ts'
import { type Node, place, type Source } from './source.ts'
import { blank, type Range } from './types.ts'

const MODIFIERS = /\b(?:private|protected|public|readonly|override|declare|abstract)\b/g
/** Node types that are types from end to end. */
const TYPES = new Set([
  'TSTypeAnnotation',
  'TSTypeParameterDeclaration',
  'TSTypeParameterInstantiation',
  'TSInterfaceDeclaration',
  'TSTypeAliasDeclaration',
  'TSDeclareFunction',
  'TSAbstractMethodDefinition',
  'TSAbstractPropertyDefinition',
  'TSIndexSignature',
])
const REFUSED: Readonly<Record<string, string>> = {
  TSEnumDeclaration: 'an enum',
  TSModuleDeclaration: 'a namespace',
  TSParameterProperty: 'a parameter property',
  TSImportEqualsDeclaration: 'import =',
  TSExportAssignment: 'export =',
}

/**
 * The JavaScript of a TypeScript module. Throws UsageError `file:line:column: sentence` for what does not parse, and
 * for syntax that types cannot be erased from.
 */
export function stripTypes(source: Source): string {
  const { program, errors } = parseSync(source.path, source.text, { sourceType: 'module', lang: 'ts' })
  if (errors.length > 0) {
    const [error] = errors
    throw new UsageError(`${place(source, error.labels[0]?.start ?? 0)}: ${error.message}.`)
  }
  const ranges: Range[] = []
  visit(source, program as unknown as Node, ranges)
  return blank(source.text, ranges)
}

function visit(source: Source, node: Node, ranges: Range[]): void {
  const { text } = source
  const whole = (): void => void ranges.push([node.start, node.end])
  if (REFUSED[node.type] !== undefined)
    throw new UsageError(
      `${place(source, node.start)}: ${REFUSED[node.type]} is more than types; write it in JavaScript's own way.`,
    )
  if (TYPES.has(node.type) || node.declare === true) return whole()
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
      if (node.importKind === 'type' || node.exportKind === 'type') return whole()
      break
    case 'ImportSpecifier':
    case 'ExportSpecifier':
      if (node.importKind === 'type' || node.exportKind === 'type') {
        const comma = /^\s*,/.exec(text.slice(node.end))
        ranges.push([node.start, node.end + (comma?.[0].length ?? 0)])
        return
      }
      break
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
    case 'TSNonNullExpression':
      ranges.push([node.expression.end, node.end])
      return visit(source, node.expression, ranges)
    case 'TSTypeAssertion':
      ranges.push([node.start, node.expression.start])
      return visit(source, node.expression, ranges)
    case 'ClassDeclaration':
    case 'ClassExpression':
      if (node.abstract === true) modifiers(text, node.start, node.body.start, ranges, /\babstract\b/g)
      if (node.implements?.length > 0) {
        const from = text.lastIndexOf('implements', node.implements[0].start)
        ranges.push([from, node.body.start])
      }
      break
    case 'PropertyDefinition':
    case 'AccessorProperty':
    case 'MethodDefinition':
      if (node.value?.type === 'TSEmptyBodyFunctionExpression') return whole()
      modifiers(text, node.start, node.key.start, ranges, MODIFIERS)
      if (node.optional === true || node.definite === true) mark(text, node.key.end, ranges)
      break
    case 'VariableDeclarator':
      if (node.definite === true) mark(text, node.id.start + node.id.name.length, ranges)
      break
    case 'Identifier':
      if (node.optional === true) mark(text, node.start + node.name.length, ranges)
      break
  }
  if (node.params?.[0]?.name === 'this') {
    const comma = /^\s*,/.exec(text.slice(node.params[0].end))
    ranges.push([node.params[0].start, node.params[0].end + (comma?.[0].length ?? 0)])
  }
  for (const [key, child] of Object.entries(node)) {
    if (key === 'implements') continue
    if (Array.isArray(child)) {
      for (const one of child) if (isNode(one)) visit(source, one, ranges)
    } else if (isNode(child)) visit(source, child, ranges)
  }
}

/** Blanks modifiers in [start, end). */
function modifiers(text: string, start: number, end: number, ranges: Range[], words: RegExp): void {
  for (const match of text.slice(start, end).matchAll(words))
    ranges.push([start + match.index, start + match.index + match[0].length])
}

/** Blanks the `?` or `!` that follows at `from`. */
function mark(text: string, from: number, ranges: Range[]): void {
  const at = from + text.slice(from).search(/[?!]/)
  ranges.push([at, at + 1])
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'
}
