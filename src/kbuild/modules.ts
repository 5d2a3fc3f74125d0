// Reads the modules of an image: parses each, follows its imports, and knows which module declares a name.
// Leaves out the rules inside functions (rules.ts) and the values of constants (fold.ts).
import { dirname, resolve } from 'node:path'
import { parseSync } from 'oxc-parser'
import { UsageError } from '../base/errors.ts'
import { type Node, type Source, place, refuse } from './source.ts'

/** Answers what a specifier stands for, and reads files. */
export interface Resolver {
  /** Absolute path for `mmtorture/kernel` and the chosen modules (`#ptlock`, …); undefined for any other specifier. */
  chosen(specifier: string): string | undefined
  /** The file as a source; undefined when there is no such file. */
  read(path: string): Source | undefined
  /** The specifiers that `chosen` knows, for messages. */
  readonly names: readonly string[]
  /** True for the file whose `declare` statements are what boot() gets. */
  isMachine(source: Source): boolean
}

export interface Binding {
  readonly kind: 'constant' | 'function' | 'ambient'
  readonly name: string
  readonly module: Module
  /** The function declaration, the constant's initialiser, or the declaration of the ambient. */
  readonly node: Node
}

export interface Module {
  readonly source: Source
  readonly program: Node
  /** Where its comments stand. */
  readonly comments: readonly { readonly start: number; readonly end: number }[]
  /** What the module itself declares, exported or not. */
  readonly declared: Map<string, Binding>
  readonly exported: Set<string>
  /** Imported values: name -> the module that it is imported from. */
  readonly imports: Map<string, { from: Module; node: Node }>
  /** Imports whose declaration was looked up before. */
  readonly resolved: Map<string, Binding>
  readonly reexports: Map<string, { from: Module; node: Node }>
  readonly stars: Module[]
  /** Statements to blank: imports, types, constants, re-exports. */
  readonly blank: Node[]
  /** `export` keywords to blank: [start, end). */
  readonly exportKeywords: [number, number][]
}

/**
 * Reads `entry` and all it imports, in dependency order: a module comes after the modules it imports (in a cycle, after
 * those that were not begun before it). Throws UsageError naming file, line and column.
 */
export function readModules(entry: string, resolver: Resolver): Module[] {
  const byPath = new Map<string, Module>()
  const order: Module[] = []

  function read(path: string, importer?: { source: Source; node: Node; specifier: string }): Module {
    const known = byPath.get(path)
    if (known) return known
    const source = resolver.read(path)
    if (!source) {
      const what = importer ? `there is no module '${importer.specifier}'` : 'there is no such file'
      if (importer) refuse(importer.source, importer.node, `${what} (${path}).`)
      throw new UsageError(`${path}: ${what}.`)
    }
    const module = parse(source)
    byPath.set(path, module)
    for (const statement of module.program.body as Node[]) readStatement(module, statement)
    order.push(module)
    return module
  }

  function target(module: Module, statement: Node): Module {
    const specifier: string = statement.source.value
    const path = specifier.startsWith('.')
      ? resolve(dirname(module.source.path), specifier)
      : resolver.chosen(specifier)
    if (path === undefined || !path.endsWith('.ts'))
      refuse(
        module.source,
        statement.source,
        `cannot import '${specifier}'; kernel code imports './name.ts', ` +
          `${resolver.names.map((n) => `'${n}'`).join(', ')}.`,
      )
    return read(path, { source: module.source, node: statement.source, specifier })
  }

  function readStatement(module: Module, statement: Node): void {
    const { source } = module
    switch (statement.type) {
      case 'ImportDeclaration': {
        module.blank.push(statement)
        if (statement.importKind === 'type') return
        const from = target(module, statement)
        for (const specifier of statement.specifiers as Node[]) readImport(module, specifier, from)
        return
      }
      case 'ExportAllDeclaration':
        module.blank.push(statement)
        if (statement.exportKind === 'type') return
        if (statement.exported)
          refuse(source, statement, "a namespace export is not possible; write `export * from '…'`.")
        module.stars.push(target(module, statement))
        return
      case 'ExportNamedDeclaration':
        if (statement.declaration) {
          readDeclaration(module, statement.declaration, statement)
          return
        }
        module.blank.push(statement)
        if (statement.exportKind === 'type') return
        readExportList(module, statement)
        return
      case 'ExportDefaultDeclaration':
        return refuse(source, statement, 'a kernel module has no default export; export by name.')
      default:
        readDeclaration(module, statement, undefined)
    }
  }

  function readExportList(module: Module, statement: Node): void {
    const specifiers = (statement.specifiers as Node[]).filter((s) => s.exportKind !== 'type')
    const from = statement.source && specifiers.length > 0 ? target(module, statement) : undefined
    for (const specifier of specifiers) {
      const name: string = specifier.local.name
      if (specifier.exported.name !== name)
        refuse(module.source, specifier, `'${name}' must keep its name when it is exported.`)
      if (from) module.reexports.set(name, { from, node: specifier })
      else module.exported.add(name)
    }
  }

  read(entry)
  return order
}

/** Throws UsageError when an imported or exported name does not exist, or a name is declared twice in the image. */
export function checkModules(modules: readonly Module[]): void {
  for (const module of modules) checkNames(module)
  checkUnique(modules)
}

/** The binding that `name` has when `module` exports it; undefined when it does not. */
export function lookupExport(module: Module, name: string, seen = new Set<Module>()): Binding | undefined {
  if (seen.has(module)) return undefined
  seen.add(module)
  if (module.exported.has(name)) {
    const own = module.declared.get(name)
    if (own) return own
    const imported = module.imports.get(name)
    return imported && lookupExport(imported.from, name, seen)
  }
  const reexport = module.reexports.get(name)
  if (reexport) return lookupExport(reexport.from, name, seen)
  for (const star of module.stars) {
    const found = lookupExport(star, name, seen)
    if (found) return found
  }
  return undefined
}

/** All that `module` exports, by name; types are not among it. */
export function allExports(module: Module, seen = new Set<Module>()): Map<string, Binding> {
  const found = new Map<string, Binding>()
  if (seen.has(module)) return found
  seen.add(module)
  for (const star of module.stars)
    for (const [name, binding] of allExports(star, seen)) found.set(name, binding)
  for (const name of [...module.exported, ...module.reexports.keys()]) {
    const binding = lookupExport(module, name)
    if (binding) found.set(name, binding)
  }
  return found
}

/** What `name` means in the code of `module`; undefined for locals and for names that do not exist. */
export function lookup(module: Module, name: string): Binding | undefined {
  const own = module.declared.get(name)
  if (own) return own
  const imported = module.imports.get(name)
  if (!imported) return undefined
  let binding = module.resolved.get(name)
  if (!binding) {
    binding = lookupExport(imported.from, name)
    if (binding) module.resolved.set(name, binding)
  }
  return binding
}

/**
 * Sources parsed before, by path, and the patched ones beside the others: a sweep links nearly the same files for each
 * of its rows.
 */
const parsed = new Map<string, Pick<Module, 'source' | 'program' | 'comments'>>()

function parse(source: Source): Module {
  const name = `${source.path} ${source.patched}`
  let known = parsed.get(name)
  if (known?.source.text !== source.text || known.source.id !== source.id) {
    known = { source, ...parseText(source) }
    parsed.set(name, known)
  }
  return {
    source: known.source,
    program: known.program,
    comments: known.comments,
    declared: new Map(),
    exported: new Set(),
    imports: new Map(),
    resolved: new Map(),
    reexports: new Map(),
    stars: [],
    blank: [],
    exportKeywords: [],
  }
}

function parseText(source: Source): Pick<Module, 'program' | 'comments'> {
  const { program, comments, errors } = parseSync(source.path, source.text, {
    sourceType: 'module',
    lang: 'ts',
  })
  if (errors.length > 0) {
    const [error] = errors
    const at = place(source, error.labels?.[0]?.start ?? 0)
    throw new UsageError(`${at}: ${error.message.replace(/[.\s]*$/, '')}.`)
  }
  return { program: program as unknown as Node, comments }
}

function readImport(module: Module, specifier: Node, from: Module): void {
  if (specifier.importKind === 'type') return
  if (specifier.type !== 'ImportSpecifier')
    refuse(module.source, specifier, "import by name: `import { name } from '…'`.")
  const name: string = specifier.local.name
  if (specifier.imported.name !== name)
    refuse(module.source, specifier, `'${specifier.imported.name}' must keep its name when it is imported.`)
  module.imports.set(name, { from, node: specifier })
}

function readDeclaration(module: Module, node: Node, exporting: Node | undefined): void {
  const { source } = module
  const statement = exporting ?? node
  const declare = (name: string, kind: Binding['kind'], at: Node): void => {
    if (module.declared.has(name) || module.imports.has(name))
      refuse(source, at, `'${name}' is declared twice in this module.`)
    module.declared.set(name, { kind, name, module, node: at })
    if (exporting) module.exported.add(name)
  }
  if (node.type === 'TSInterfaceDeclaration' || node.type === 'TSTypeAliasDeclaration') {
    module.blank.push(statement)
  } else if (node.type === 'FunctionDeclaration') {
    if (exporting) module.exportKeywords.push([statement.start, node.start])
    declare(node.id.name, 'function', node)
  } else if (node.type === 'TSDeclareFunction' || node.declare === true) {
    readAmbient(module, node, statement, declare)
  } else if (node.type === 'VariableDeclaration') {
    if (node.kind !== 'const')
      refuse(
        source,
        node,
        `no '${node.kind}' outside a function; kernel state lives in the machine's memory.`,
      )
    module.blank.push(statement)
    for (const declarator of node.declarations as Node[]) {
      if (declarator.id.type !== 'Identifier')
        refuse(source, declarator, 'no destructuring; name one constant.')
      declare(declarator.id.name, 'constant', declarator.init)
    }
  } else if (node.type === 'EmptyStatement') {
    module.blank.push(statement)
  } else if (node.type === 'ClassDeclaration') {
    refuse(source, node, "no classes; kernel state lives in the machine's memory.")
  } else if (node.type === 'TSEnumDeclaration') {
    refuse(source, node, 'no enums; write one `export const` each.')
  } else {
    refuse(source, node, 'only imports, constants, functions and types stand at the top of a kernel module.')
  }
}

function readAmbient(
  module: Module,
  node: Node,
  statement: Node,
  declare: (name: string, kind: Binding['kind'], at: Node) => void,
): void {
  if (node.declare !== true)
    refuse(module.source, node, `'${node.id.name}' has no body; overloads are not possible.`)
  module.blank.push(statement)
  if (node.type === 'TSDeclareFunction') declare(node.id.name, 'ambient', node)
  else if (node.type === 'VariableDeclaration')
    for (const declarator of node.declarations as Node[]) declare(declarator.id.name, 'ambient', declarator)
}

/** Every imported, re-exported and exported name must exist. */
function checkNames(module: Module): void {
  const missing = (node: Node, from: Module, name: string): never =>
    refuse(module.source, node, `${from.source.id} does not export '${name}'.`)
  for (const [name, { from, node }] of module.imports)
    if (!lookupExport(from, name)) missing(node, from, name)
  for (const [name, { from, node }] of module.reexports)
    if (!lookupExport(from, name)) missing(node, from, name)
  for (const name of module.exported)
    if (!lookup(module, name))
      refuse(module.source, module.program, `exports '${name}', which it does not declare.`)
}

/** Linux's names are unique in the kernel, and so are an image's. */
function checkUnique(modules: readonly Module[]): void {
  const seen = new Map<string, Binding>()
  for (const module of modules)
    for (const [name, binding] of module.declared) {
      const first = seen.get(name)
      if (first) {
        const other = place(first.module.source, first.node.start)
        refuse(
          module.source,
          binding.node,
          `'${name}' is already declared at ${other}; names are unique in the kernel.`,
        )
      }
      seen.set(name, binding)
    }
}
