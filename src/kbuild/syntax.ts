// The parts of each node of kernel code that hold statements and expressions. Labels, callees and types are none of
// them; rules.ts refuses every node that is not listed here.
import type { Node } from './source.ts'

const CHILDREN: Record<string, readonly string[]> = {
  BlockStatement: ['body'],
  ExpressionStatement: ['expression'],
  VariableDeclaration: ['declarations'],
  VariableDeclarator: ['init'],
  ReturnStatement: ['argument'],
  IfStatement: ['test', 'consequent', 'alternate'],
  ForStatement: ['init', 'test', 'update', 'body'],
  WhileStatement: ['test', 'body'],
  DoWhileStatement: ['body', 'test'],
  SwitchStatement: ['discriminant', 'cases'],
  SwitchCase: ['test', 'consequent'],
  LabeledStatement: ['body'],
  ParenthesizedExpression: ['expression'],
  TSAsExpression: ['expression'],
  TSSatisfiesExpression: ['expression'],
  TSNonNullExpression: ['expression'],
  UnaryExpression: ['argument'],
  BinaryExpression: ['left', 'right'],
  LogicalExpression: ['left', 'right'],
  ConditionalExpression: ['test', 'consequent', 'alternate'],
  SequenceExpression: ['expressions'],
  AssignmentExpression: ['left', 'right'],
  UpdateExpression: ['argument'],
  CallExpression: ['arguments'],
  MemberExpression: ['property'],
}

/** Calls `visit` for each statement and expression directly inside `node`, in the order of the text. */
export function forEachChild(node: Node, visit: (child: Node) => void): void {
  const fields = CHILDREN[node.type]
  if (!fields) return
  for (const field of fields) {
    const child = node[field] as Node | (Node | null)[] | null
    if (Array.isArray(child)) {
      for (const one of child) if (one) visit(one)
    } else if (child) visit(child)
  }
}

/** Calls `visit` for each statement and expression in a function declaration, default values of parameters included. */
export function forEachInside(declaration: Node, visit: (node: Node) => void): void {
  const inside = (node: Node): void => {
    visit(node)
    forEachChild(node, inside)
  }
  for (const parameter of declaration.params as Node[])
    if (parameter.type === 'AssignmentPattern') inside(parameter.right)
  inside(declaration.body)
}

/** Names of the parameters and variables of a function declaration. */
export function localsOf(declaration: Node): Set<string> {
  const names = new Set<string>()
  for (const parameter of declaration.params as Node[])
    names.add((parameter.type === 'AssignmentPattern' ? parameter.left : parameter).name)
  forEachInside(declaration, (node) => {
    if (node.type === 'VariableDeclaration')
      for (const one of node.declarations as Node[]) names.add(one.id.name)
  })
  return names
}

/** The name of the function that a call expression calls; undefined for `Math.imul(…)` and the like. */
export function calleeName(call: Node): string | undefined {
  let callee: Node = call.callee
  while (callee.type === 'ParenthesizedExpression') callee = callee.expression
  return callee.type === 'Identifier' ? callee.name : undefined
}

/**
 * Offsets of the expression statements of a function that stand in a list of statements: where such a one begins with
 * `(`, the line before must not go on.
 */
export function listedStatements(declaration: Node): Set<number> {
  const starts = new Set<number>()
  forEachInside(declaration, (node) => {
    const list =
      node.type === 'BlockStatement' ? node.body : node.type === 'SwitchCase' ? node.consequent : []
    for (const statement of list as Node[])
      if (statement.type === 'ExpressionStatement') starts.add(statement.start)
  })
  return starts
}

/** Names of the functions that a function declaration calls. */
export function calledIn(declaration: Node): Set<string> {
  const called = new Set<string>()
  forEachInside(declaration, (node) => {
    const name = node.type === 'CallExpression' ? calleeName(node) : undefined
    if (name !== undefined) called.add(name)
  })
  return called
}
