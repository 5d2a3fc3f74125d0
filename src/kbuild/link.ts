// Links kernel modules into one ES module: checks them, evaluates and folds their constants, blanks their types and puts
// them one after the other into boot(). Leaves out where files come from and where the image goes: index.ts.
import MagicString, { Bundle } from 'magic-string'
import { checkDesign } from './designs.ts'
import { evaluateConstants, foldFunctions } from './fold.ts'
import { type Module, type Resolver, allExports, checkModules, readModules } from './modules.ts'
import { type Permissions, checkRules } from './rules.ts'
import { type Edit, type Source, refuse } from './source.ts'
import { type Range, blank, typeRanges } from './types.ts'

export interface LinkOptions {
  /** Absolute path of the module whose exports boot() returns. */
  readonly entry: string
  readonly resolver: Resolver
  /** Values for the constants of the configuration module. */
  readonly constants: Readonly<Record<string, number>>
  isConfig(source: Source): boolean
  permissions(source: Source): Permissions
}

export interface Linked {
  /** The linked modules in their order. */
  readonly sources: readonly Source[]
  /** Every constant of every linked module. */
  readonly symbols: Record<string, number>
  /** Every function of the image, in the order of the text. */
  readonly functions: string[]
  /** The text of the ES module and its source map, for an image that will lie in the folder of `file`. */
  emit(file: string, nameOf: (source: Source) => string): { code: string; map: string }
}

/** Links an image. Throws UsageError with file, line and column for whatever kernel code may not hold. */
export function link(options: LinkOptions): Linked {
  const { resolver } = options
  const modules = readModules(options.entry, resolver)
  for (const name of resolver.names) {
    const path = resolver.chosen(name)
    const module = modules.find((one) => one.source.path === path)
    if (module) checkDesign(name, module)
  }
  checkModules(modules)
  const ambients = new Set<string>()
  const members = new Map<Module, Edit[]>()
  for (const module of modules) {
    for (const binding of module.declared.values())
      if (binding.kind === 'ambient') {
        if (!resolver.isMachine(module.source)) refuseAmbient(module, binding.node.start)
        ambients.add(binding.name)
      }
    members.set(module, checkRules(module, options.permissions(module.source)))
  }
  const values = evaluateConstants(modules, options.isConfig, options.constants)
  const functions = modules.flatMap((module) =>
    [...module.declared.values()].filter((b) => b.kind === 'function').map((b) => b.name),
  )
  const exported = [...allExports(modules[modules.length - 1])].filter(([, b]) => b.kind !== 'ambient')
  const returned = exported.map(([name]) => (values.has(name) ? `${name}: ${values.get(name)}` : name))

  return {
    sources: modules.map((module) => module.source),
    symbols: Object.fromEntries(values),
    functions,
    emit(file, nameOf) {
      const bundle = new Bundle({ separator: '\n' })
      for (const module of modules)
        bundle.addSource({
          filename: nameOf(module.source),
          content: moduleText(module, values, members.get(module) ?? []),
        })
      bundle.prepend(
        `export function boot(boot$env) {\nconst { ${[...ambients].join(', ')} } = boot$env\n${taken(members)}`,
      )
      bundle.append(`\nreturn { ${returned.join(', ')} }\n}\n//# sourceMappingURL=${file}.map\n`)
      const map = bundle.generateMap({ file, includeContent: false, hires: false })
      const patched = new Map(
        modules.filter((m) => m.source.patched).map((m) => [nameOf(m.source), m.source.text]),
      )
      // The file on disk is not what ran: the map brings the patched text along.
      if (patched.size > 0)
        map.sourcesContent = map.sources.map((name) => patched.get(name) ?? (null as never))
      return { code: bundle.toString(), map: map.toString() }
    },
  }
}

function refuseAmbient(module: Module, offset: number): never {
  return refuse(module.source, { start: offset }, 'only the machine itself declares bindings without a body.')
}

/** `const wasm$load = wasm?.load` for each function that is called on an object of the machine. */
function taken(members: ReadonlyMap<Module, readonly Edit[]>): string {
  const names = new Set([...members.values()].flat().map((edit) => edit.text))
  return [...names].map((name) => `const ${name} = ${name.replace('$', '?.')}\n`).join('')
}

/** The module's functions in their places: types, imports and constants blanked, constants folded. */
function moduleText(
  module: Module,
  values: ReadonlyMap<string, number>,
  members: readonly Edit[],
): MagicString {
  const ranges: Range[] = module.blank.map((node) => [node.start, node.end])
  ranges.push(...module.exportKeywords)
  for (const binding of module.declared.values())
    if (binding.kind === 'function') ranges.push(...typeRanges(binding.node))
  const text = new MagicString(blank(module.source.text, ranges))
  for (const edit of [...foldFunctions(module, values), ...members])
    text.update(edit.start, edit.end, edit.text)
  return text
}
