// kbuild: a configuration and a scenario become a kernel image, an ES module on disk. An image that was built before
// from the same inputs is taken from the cache. Leaves out what boots an image: src/machine.
import { existsSync } from 'node:fs'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { UsageError } from '../base/errors.ts'
import type { BootEnvironment } from '../kernel/arch/machine.ts'
import type { SteppedBoot } from '../step/boot.ts'
import type { Site } from '../step/site.ts'
import type { BugCalls } from './bug_calls.ts'
import { cacheFolder, fallbackFolder, hashOf, isOwn, readText, store, touch, trim } from './cache.ts'
import { type Configuration, configConstants } from './config.ts'
import { heldFolder, hold } from './held.ts'
import { type Linked, link } from './link.ts'
import type { Resolver } from './modules.ts'
import { checkPtlockWords, ptlockModules } from './designs.ts'
import { applyPatches } from './patch.ts'
import { isReplaced } from './primitives.ts'
import { packageRoot } from '../base/root.ts'
import type { Permissions } from './rules.ts'
import type { Source } from './source.ts'

export type { BootEnvironment } from '../kernel/arch/machine.ts'
export type { Site } from '../step/site.ts'
export * from './config.ts'

/** What boot() of an image returns: the exports of src/kernel/image.ts. */
export type KernelExports = typeof import('../kernel/image.ts')

/**
 * What an image is for: real CPUs (native); the stepped machine, with generators that yield where a CPU is to stop
 * (stepped); or real CPUs that ask before every step (gated).
 */
export type ImageKind = 'native' | 'stepped' | 'gated'

/** A linked kernel, ready to boot. Plain data: it can be sent to a worker. */
export interface KernelImage {
  /** Absolute path of the ES module. */
  readonly file: string
  /** Names the image's contents: equal for equal sources, patches and configuration. */
  readonly hash: string
  /** Every constant of the kernel: layouts (`page$_refcount`), limits, flags. */
  readonly symbols: Readonly<Record<string, number>>
  /** Names of all functions of the image. */
  readonly functions: readonly string[]
  /** Names of all functions that the kernel's modules declare, those too that this image does without. */
  readonly declared: readonly string[]
  readonly image: ImageKind
  /** Where its steps stand in the source, indexed by a step's SITE; none in a native image. */
  readonly sites: readonly Site[]
  /** Calls that stop the machine, where they were put into another function; none in a native image. */
  readonly bugs: BugCalls
  readonly config: Configuration
  /** Absolute path of the scenario. */
  readonly scenario: string
}

export interface BuildOptions {
  /** Absolute path of the scenario's file. */
  readonly scenario: string
  /** Paths of unified diffs, applied to the kernel's sources in order. */
  readonly patches?: readonly string[]
  /** Default: native. */
  readonly image?: ImageKind
  /**
   * The package whose src/kernel is built, and the folders for images, best first: for tests and for the package's
   * build.
   */
  readonly root?: string
  readonly folders?: readonly string[]
}

/** Changes when the same inputs make another image. */
const KBUILD_VERSION = '9'
/** Changes when the same image is kept in another form. */
const CACHE_VERSION = '2'

/** What lies beside an image: its inputs say whether it is still the one that would be built. */
interface ImageRecord {
  readonly hash: string
  readonly inputs: readonly { readonly path: string; readonly hash: string }[]
  readonly symbols: Record<string, number>
  readonly functions: string[]
  readonly declared: string[]
  readonly sites: readonly Site[]
  readonly bugs: BugCalls
}

/** The folder of images that come with the package. */
export function prebuiltFolder(root: string = packageRoot()): string {
  return join(root, 'dist', 'image')
}

/**
 * Builds the image of `config` and a scenario, or finds it in the package or in the user's cache. Throws UsageError for
 * a missing file, a patch that does not apply, and kernel code that breaks a rule (file, line, column).
 */
export async function kbuild(config: Configuration, options: BuildOptions): Promise<KernelImage> {
  const root = options.root ?? packageRoot()
  const scenario = resolve(options.scenario)
  const patches = options.patches ?? []
  if (!existsSync(scenario)) throw new UsageError(`there is no scenario file ${scenario}.`)
  const kind = options.image ?? 'native'
  const constants = configConstants(config)
  // A stepped image is the same on every host.
  if (kind !== 'native') Object.assign(constants, { STEPPED: 1, WEAK_MEMORY: 0 })
  const patched = applyPatches(root, patches)
  const chosen = chosenModules(config, root, scenario, (path) => patched.get(path) ?? readText(path))
  const request = hashOf(
    KBUILD_VERSION,
    CACHE_VERSION,
    kind,
    JSON.stringify(constants),
    ...[...chosen].flatMap(([specifier, path]) => [specifier, rootName(root, path)]),
    ...[...patched].flatMap(([path, text]) => [rootName(root, path), text]),
  )
  // Images of several checkouts do not disturb one another.
  const perRoot = hashOf(root).slice(0, 8)
  const cache = options.folders === undefined ? [cacheFolder(), fallbackFolder()].find(isOwn) : undefined
  const kept = cache === undefined ? [] : [join(cache, perRoot)]
  const folders = options.folders ?? [...kept, heldFolder()]
  const prebuilt = options.folders || patches.length > 0 ? [] : [prebuiltFolder(root)]
  const ofImage = (folder: string, record: ImageRecord): KernelImage =>
    imageOf(folder, request, record, kind, config, scenario)
  for (const folder of [...prebuilt, ...folders]) {
    const found = readRecord(folder, request, root, patched)
    if (found === undefined) continue
    const image = ofImage(folder, found)
    if (options.folders !== undefined || prebuilt.includes(folder)) return image
    const file = hold(image.file)
    // Another process may have deleted it meanwhile.
    if (file === undefined) continue
    touch([image.file, `${image.file}.map`, join(folder, `${request}.json`)])
    return { ...image, file }
  }
  const linked = linkImage(root, kind, chosen, constants, patched)
  checkPtlockWords(rootName(root, chosen.get('#ptlock') ?? ''), linked.symbols['PTLOCK_WORDS'] ?? 0)
  const record = recordOf(linked, root, kind, constants, chosen, patched)
  for (const [index, folder] of folders.entries()) {
    const name = imageName(request, record)
    // A source map names sources from the folder in which it lies; one that may lie in two, by their whole paths.
    const { code, map } = linked.emit(name, (source) =>
      options.folders === undefined
        ? pathToFileURL(source.path).href
        : urlPath(relative(folder, source.path)),
    )
    const files = new Map([
      [`${name}.map`, map],
      [name, code],
      [`${request}.json`, JSON.stringify(record)],
    ])
    try {
      const image = ofImage(store([folder], files), record)
      if (options.folders !== undefined) return image
      const file = hold(image.file)
      if (cache !== undefined) trim(cache)
      if (file !== undefined) return { ...image, file }
    } catch (error) {
      if (index === folders.length - 1) throw error
    }
  }
  throw new Error('kbuild was given no folder for images')
}

/**
 * Imports an image and returns its boot(): called once for each CPU, with that CPU's environment. `file` is all of the
 * image that is needed.
 */
export async function loadImage(
  image: Pick<KernelImage, 'file'>,
): Promise<(env: BootEnvironment) => KernelExports> {
  const module = (await import(pathToFileURL(image.file).href)) as {
    boot(env: BootEnvironment): KernelExports
  }
  return module.boot
}

/** loadImage() of a stepped image: its boot() is called once for the whole machine. */
export async function loadSteppedImage(image: Pick<KernelImage, 'file'>): Promise<SteppedBoot> {
  return (await loadImage(image)) as unknown as SteppedBoot
}

/**
 * Specifier -> absolute path of what the configuration chooses for it.
 * @param root the package's folder
 * @param text of a file, as it is to be built
 */
export function chosenModules(
  config: Configuration,
  root: string,
  scenario: string,
  text: (path: string) => string | undefined = readText,
): Map<string, string> {
  const kernel = join(root, 'src', 'kernel')
  const design = (folder: string, name: string): string =>
    isAbsolute(name) ? name : join(kernel, 'locking', folder, `${name}.ts`)
  const ptlock = design('ptlock', config.PTLOCK)
  return new Map([
    ['mmtorture/kernel', join(kernel, 'index.ts')],
    ['#config', join(kernel, 'config.ts')],
    ...ptlockModules(kernel, ptlock, text(ptlock) ?? ''),
    ['#spinlock', design('spinlock', config.SPINLOCK)],
    ['#atomic', join(kernel, 'arch', config.ATOMICS === 'wasm' ? 'atomic_wasm.ts' : 'atomic.ts')],
    ['#scenario', scenario],
  ])
}

function linkImage(
  root: string,
  kind: ImageKind,
  chosen: ReadonlyMap<string, string>,
  constants: Readonly<Record<string, number>>,
  patched: ReadonlyMap<string, string>,
): Linked {
  const kernel = join(root, 'src', 'kernel')
  const resolver: Resolver = {
    names: [...chosen.keys()],
    chosen: (specifier) => chosen.get(specifier),
    isMachine: (source) => source.path === join(kernel, 'arch', 'machine.ts'),
    read(path): Source | undefined {
      const text = patched.get(path) ?? readText(path)
      return text === undefined
        ? undefined
        : { path, id: rootName(root, path), text, patched: patched.has(path) }
    },
  }
  return link({
    entry: join(kernel, 'image.ts'),
    resolver,
    constants,
    isConfig: (source) => source.path === chosen.get('#config'),
    permissions: (source) => permissionsOf(source.id),
    steps:
      kind === 'native'
        ? undefined
        : { kind, isReplaced: (source) => isReplaced(source.id, constants.PARAVIRT_SPINLOCKS === 1) },
  })
}

/** What the rules let a file name, by where it lies in the package. */
function permissionsOf(id: string): Permissions {
  const arch = id.startsWith('src/kernel/arch/')
  return {
    atomics: id === 'src/kernel/arch/atomic.ts' || id === 'src/kernel/arch/halt.ts',
    memory: arch,
    machine: id.startsWith('src/kernel/'),
  }
}

function recordOf(
  linked: Linked,
  root: string,
  kind: ImageKind,
  constants: Readonly<Record<string, number>>,
  chosen: ReadonlyMap<string, string>,
  patched: ReadonlyMap<string, string>,
): ImageRecord {
  const { sources } = linked
  const contents = sources.flatMap((source) => [portableName(source, root, chosen), source.text])
  return {
    hash: hashOf(KBUILD_VERSION, kind, JSON.stringify(constants), ...contents),
    inputs: sources
      .filter((source) => !patched.has(source.path))
      .map((source) => ({ path: rootName(root, source.path), hash: hashOf(source.text) })),
    symbols: linked.symbols,
    functions: linked.functions,
    declared: linked.declared,
    sites: linked.sites,
    bugs: linked.bugs,
  }
}

/** A name for hashes that is the same on every machine: a user's file goes by what it was chosen for. */
function portableName(source: Source, root: string, chosen: ReadonlyMap<string, string>): string {
  if (!isAbsolute(source.id)) return source.id
  for (const [specifier, path] of chosen) if (path === source.path) return specifier
  return source.path.slice(dirname(root).length)
}

function readRecord(
  folder: string,
  request: string,
  root: string,
  patched: ReadonlyMap<string, string>,
): ImageRecord | undefined {
  const text = readText(join(folder, `${request}.json`))
  if (text === undefined) return undefined
  let record: ImageRecord
  try {
    record = JSON.parse(text) as ImageRecord
  } catch {
    return undefined
  }
  const current = record.inputs.every(({ path, hash }) => {
    const file = resolve(root, path)
    const now = patched.get(file) ?? readText(file)
    return now !== undefined && hashOf(now) === hash
  })
  return current && existsSync(join(folder, imageName(request, record))) ? record : undefined
}

// The name holds the contents' hash, since a process imports each file name once.
function imageName(request: string, record: ImageRecord): string {
  return `${record.hash}-${request.slice(0, 8)}.mjs`
}

function imageOf(
  folder: string,
  request: string,
  record: ImageRecord,
  image: ImageKind,
  config: Configuration,
  scenario: string,
): KernelImage {
  const { hash, symbols, functions, declared, sites, bugs } = record
  const file = join(folder, imageName(request, record))
  return { file, hash, symbols, functions, declared, image, sites, bugs, config, scenario }
}

/** The path from the package's folder with forward slashes; a path outside of it stays absolute. */
function rootName(root: string, path: string): string {
  const name = relative(root, path)
  return !name.startsWith('..') && !isAbsolute(name) ? urlPath(name) : path
}

function urlPath(path: string): string {
  return sep === '/' ? path : path.split(sep).join('/')
}
