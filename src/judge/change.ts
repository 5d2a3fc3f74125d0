// Which places of a kernel are a candidate's: those of its file, of the functions that call a design, or of the
// functions that a patch changes. By them a hunt says whether it reached what is judged. Leaves out the hunt.
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseSync } from 'oxc-parser'
import { packageRoot } from '../base/root.ts'
import { applyPatches } from '../kbuild/patch.ts'
import type { Site } from '../step/site.ts'
import type { Candidate } from './candidate.ts'

/** What a candidate has in an image. */
export interface Change {
  /** All places of these files, named as sites name them. */
  readonly files: ReadonlySet<string>
  /** All places of these functions, and of what was put in place of their calls. */
  readonly functions: ReadonlySet<string>
}

/** Throws UsageError for a patch that does not apply. */
export function changeOf(candidate: Candidate): Change {
  const root = packageRoot()
  const { kind, file, patches, name, builtIn } = candidate
  if (kind === 'patch') return { files: new Set(), functions: patchedFunctions(root, patches) }
  const path =
    file ?? join(root, 'src/kernel/locking', kind === 'design' ? 'ptlock' : 'spinlock', `${name}.ts`)
  const functions = kind === 'design' ? callersOf(root, functionsOf(readFileSync(path, 'utf8'))) : []
  const id = relative(root, path)
  return { files: new Set([builtIn || !id.startsWith('..') ? id : path]), functions: new Set(functions) }
}

/**
 * The candidate's line at which a site stands, `file:line`: its own, or that of the call that it is part of. Undefined:
 * it is none of the candidate's.
 */
export function placeOf({ files, functions }: Change, site: Site): string | undefined {
  const { fn, helper, file, line, callers = [] } = site
  if (files.has(file) || functions.has(fn) || (helper !== undefined && functions.has(helper)))
    return `${file}:${line}`
  const call = callers.find((frame) => functions.has(frame.fn) || files.has(frame.file))
  return call && `${call.file}:${call.line}`
}

/**
 * The design's functions, and the kernel's that call them: a design that only computes an address makes no access of
 * its own.
 */
function callersOf(root: string, design: ReadonlyMap<string, string>): string[] {
  const called = new RegExp(String.raw`\b(?:${[...design.keys()].join('|')})\(`)
  const callers = kernelFiles(root).flatMap((file) =>
    [...functionsOf(readFileSync(file, 'utf8'))].filter(([, text]) => called.test(bodyOf(text))),
  )
  return [...design.keys(), ...callers.map(([name]) => name)]
}

/** The kernel but for the designs themselves: the parts that stand in between for one that names spinlocks, too. */
function kernelFiles(root: string): string[] {
  const folder = join(root, 'src/kernel')
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/^locking[\\/]ptlock[\\/][\w-]+\.ts$/.test(file))
    .map((file) => join(folder, file))
}

/** Functions whose text a patch changes, adds or takes away; those of a file of which it changes something else. */
function patchedFunctions(root: string, patches: readonly string[]): Set<string> {
  const names = new Set<string>()
  for (const [path, text] of applyPatches(root, patches)) {
    const before = functionsOf(readFileSync(path, 'utf8'))
    const after = functionsOf(text)
    const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
      (name) => before.get(name) !== after.get(name),
    )
    for (const name of changed.length > 0 ? changed : after.keys()) names.add(name)
  }
  return names
}

/** The functions at the top of a source, with their texts. */
function functionsOf(text: string): Map<string, string> {
  const { program } = parseSync('kernel.ts', text, { lang: 'ts', sourceType: 'module' })
  const functions = new Map<string, string>()
  for (const statement of program.body) {
    const node = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement
    if (node?.type === 'FunctionDeclaration' && node.id !== null)
      functions.set(node.id.name, text.slice(node.start, node.end))
  }
  return functions
}

/** What stands behind the parameters. */
function bodyOf(text: string): string {
  return text.slice(text.indexOf('{'))
}
