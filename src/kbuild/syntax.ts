// The parts of each node of kernel code that hold statements and expressions. Labels, callees and types are none of them;
// rules.ts refuses every node that is not listed here.
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
