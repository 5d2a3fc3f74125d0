// Links kernel modules into one ES module: checks them, evaluates and folds their constants, blanks their types and
// puts them one after the other into boot(). Leaves out where files come from and where the image goes: index.ts.
import MagicString, { Bundle } from 'magic-string'
import { checkDesign } from './designs.ts'
import { evaluateConstants, foldFunctions } from './fold.ts'
import type { Site } from '../step/site.ts'
import type { BugCalls } from './bug_calls.ts'
import { type Binding, type Module, type Resolver, allExports, checkModules, readModules } from './modules.ts'
import { type Permissions, checkRules } from './rules.ts'
import { type Edit, type Source, refuse } from './source.ts'
import { type PlainModule, type StepOptions, stepModules } from './steps.ts'
import { type Range, blank, typeRanges } from './types.ts'

export interface LinkOptions {
  /** Absolute path of the module whose exports boot() returns. */
  readonly entry: string
  readonly resolver: Resolver
  /** Values for the constants of the configuration module. */
  readonly constants: Readonly<Record<string, number>>
  isConfig(source: Source): boolean
  permissions(source: Source): Permissions
  /** For an image whose steps are announced; without it the image is native. */
  readonly steps?: StepOptions
}

export interface Linked {
  /** The linked modules in their order, then those of the kernel that the scenario does not import. */
  readonly sources: readonly Source[]
  /** Every constant of every linked module. */
  readonly symbols: Record<string, number>
  /** Every function of the image, in the order of the text. */
  readonly functions: string[]
  /** Every function that the kernel's modules declare, those too that the image does without. */
  readonly declared: string[]
  /** Where steps are announced; empty in a native image. */
  readonly sites: readonly Site[]
  /** Calls that stop the machine, where they were put into another function; none in a native image. */
  readonly bugs: BugCalls
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
  const exported = [...allExports(modules[modules.length - 1])].filter(([, b]) => b.kind !== 'ambient')
  const plain = modules.map((module) => plainModule(module, values, members.get(module) ?? []))
  const image = options.steps
    ? steppedImage(plain, exported, options.steps)
    : nativeImage(plain, ambients, members)
  const unlinked = unlinkedModules(modules, resolver)
  const returned = exported
    .filter(([name, b]) => b.kind !== 'function' || image.functions.includes(name))
    .map(([name]) => (values.has(name) ? `${name}: ${values.get(name)}` : name))

  return {
    sources: [...modules, ...unlinked].map((module) => module.source),
    symbols: Object.fromEntries(values),
    functions: image.functions,
    declared: [...modules, ...unlinked].flatMap(functionsOf),
    sites: image.sites,
    bugs: image.bugs,
    emit(file, nameOf) {
      const bundle = new Bundle({ separator: '\n' })
      for (const { source, content } of image.texts()) bundle.addSource({ filename: nameOf(source), content })
      bundle.prepend(
        `export function boot(boot$env) {\nconst { ${image.bindings.join(', ')} } = boot$env\n${image.prologue}`,
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

/** Modules of what a scenario may import that this one does not. */
function unlinkedModules(modules: readonly Module[], resolver: Resolver): Module[] {
  const linked = new Set(modules.map((module) => module.source.path))
  return resolver.names.flatMap((name) => {
    const path = resolver.chosen(name)
    if (path === undefined || linked.has(path) || resolver.read(path) === undefined) return []
    return readModules(path, resolver).filter((module) => !linked.has(module.source.path))
  })
}

function functionsOf(module: Module): string[] {
  return [...module.declared.values()].filter((b) => b.kind === 'function').map((b) => b.name)
}

/** What goes into an image, before it has a name and a folder. */
interface ImageText {
  readonly functions: string[]
  readonly sites: readonly Site[]
  readonly bugs: BugCalls
  /** What boot() takes from its environment, and statements behind that. */
  readonly bindings: readonly string[]
  readonly prologue: string
  texts(): { source: Source; content: MagicString }[]
}

function nativeImage(
  plain: readonly PlainModule[],
  ambients: ReadonlySet<string>,
  members: ReadonlyMap<Module, readonly Edit[]>,
): ImageText {
  return {
    functions: plain.flatMap(({ module }) => functionsOf(module)),
    sites: [],
    bugs: {},
    bindings: [...ambients],
    prologue: taken(members),
    texts: () =>
      plain.map(({ module, code, edits }) => {
        const content = new MagicString(code)
        for (const edit of edits) content.update(edit.start, edit.end, edit.text)
        return { source: module.source, content }
      }),
  }
}

function steppedImage(
  plain: readonly PlainModule[],
  exported: readonly [string, Binding][],
  steps: StepOptions,
): ImageText {
  const entries = exported.filter(([, b]) => b.kind === 'function').map(([name]) => name)
  const { texts, bindings, sites, bugs, functions } = stepModules(plain, entries, steps)
  return {
    functions,
    sites,
    bugs,
    bindings,
    prologue: '',
    // Lines are those of the source, and so far reaches the source map; the sites know the columns.
    texts: () => texts.map(({ source, code }) => ({ source, content: new MagicString(code) })),
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

/** The module's functions in their places: types, imports and constants blanked; the edits fold its constants. */
function plainModule(
  module: Module,
  values: ReadonlyMap<string, number>,
  members: readonly Edit[],
): PlainModule {
  const ranges: Range[] = module.blank.map((node) => [node.start, node.end])
  ranges.push(...module.exportKeywords)
  for (const binding of module.declared.values())
    if (binding.kind === 'function') ranges.push(...typeRanges(binding.node))
  const code = blank(module.source.text, ranges)
  return { module, code, edits: [...foldFunctions(module, values), ...members] }
}
