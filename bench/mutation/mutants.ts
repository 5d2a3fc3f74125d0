// The mutants of the kernel: every single fault of every kind in every function of src/kernel, and each as a patch.
// Leaves out what is no kernel: the data oracle, what programs have at hand, statistics and announcements.
import { parseSync } from 'oxc-parser'
import { createTwoFilesPatch } from 'diff'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { type Node, position, type Source } from '../../src/kbuild/source.ts'
import { ExecutionRandom } from '../../src/step/random.ts'
import { type Fault, faultsOf, type Kind, KINDS } from './kinds.ts'

const KERNEL = 'src/kernel'
const LEFT_OUT =
  /\boracle\/|(?:image|index|config|errno|program|fail_page_alloc|vmstat|lock_stat|lockdep|lock_class|observe|bug|barrier|delay|access|memory_map|percpu|structs|limits|atomic\w*)\.ts$/

export interface Mutant {
  readonly kind: Kind
  /** From the package's folder. */
  readonly file: string
  readonly function: string
  readonly line: number
  /** First and last line of the function. */
  readonly lines: readonly [first: number, last: number]
  /** A unified diff against the package's folder. */
  readonly patch: string
}

/** All mutants of the sources below `root`, the package's folder, in the order of files and lines. */
export function allMutants(root: string): Mutant[] {
  const files = readdirSync(join(root, KERNEL), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !LEFT_OUT.test(file))
    .toSorted()
  return files.flatMap((file) => mutantsOf(root, join(KERNEL, file)))
}

/** Those of one file, `file` from the package's folder. */
export function mutantsOf(root: string, file: string): Mutant[] {
  const path = join(root, file)
  const source: Source = { path, id: file, text: readFileSync(path, 'utf8'), patched: false }
  const { program } = parseSync(path, source.text, { sourceType: 'module', lang: 'ts' })
  return functionsOf(program as unknown as Node).flatMap((declaration) =>
    faultsOf(source, declaration).map((fault) => ({
      kind: fault.kind,
      file,
      function: declaration.id.name as string,
      line: lineOf(source, fault.at),
      lines: [lineOf(source, declaration.start), lineOf(source, declaration.end)] as const,
      patch: patchOf(source, fault),
    })),
  )
}

/**
 * `n` mutants, as many of each kind as there are, in a random order that `seed` decides; without the same patch twice.
 */
export function drawMutants(mutants: readonly Mutant[], n: number, seed: number): Mutant[] {
  const random = new ExecutionRandom(seed)
  const bags = KINDS.map((kind) =>
    shuffled(
      mutants.filter((mutant) => mutant.kind === kind),
      random,
    ),
  )
  const drawn = new Map<string, Mutant>()
  while (drawn.size < n && bags.some((bag) => bag.length > 0))
    for (const bag of bags) {
      const mutant = bag.pop()
      if (mutant !== undefined && drawn.size < n) drawn.set(mutant.patch, mutant)
    }
  return [...drawn.values()]
}

function shuffled<T>(items: readonly T[], random: ExecutionRandom): T[] {
  const shuffle = [...items]
  for (let i = shuffle.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const item = shuffle[i]
    shuffle[i] = shuffle[j]
    shuffle[j] = item
  }
  return shuffle
}

function functionsOf(program: Node): Node[] {
  return (program.body as Node[]).flatMap((statement) => {
    const declaration = (statement.declaration ?? statement) as Node
    return declaration.type === 'FunctionDeclaration' ? [declaration] : []
  })
}

function patchOf(source: Source, fault: Fault): string {
  let { text } = source
  for (const { start, end, text: by } of fault.edits.toSorted((one, other) => other.start - one.start))
    text = text.slice(0, start) + by + text.slice(end)
  return createTwoFilesPatch(
    `a/${source.id}`,
    `b/${source.id}`,
    source.text,
    withImports(source, fault, text),
  )
}

/** The accessors that a fault uses come from arch/access.ts, where the file does not have them yet. */
function withImports(source: Source, fault: Fault, text: string): string {
  const missing = fault.uses.filter((name) => !importsOf(source.text).has(name))
  if (missing.length === 0) return text
  const access = relative(dirname(source.id), 'src/kernel/arch/access.ts')
  const from = access.startsWith('.') ? access : `./${access}`
  const first = text.search(/^import /m)
  const at = first < 0 ? 0 : first
  return `${text.slice(0, at)}import { ${missing.join(', ')} } from '${from}'\n${text.slice(at)}`
}

function importsOf(text: string): Set<string> {
  const names = [...text.matchAll(/^import \{([^}]*)\}/gm)].flatMap(([, list]) => list.split(','))
  return new Set(names.map((name) => name.trim()))
}

function lineOf(source: Source, offset: number): number {
  return position(source, offset).line
}
