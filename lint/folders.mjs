// What a folder of src may import: the table, and the check that `npm run lint` runs. A folder imports only from
// folders above it in the table, so there is no cycle between folders. `kernel` means its types: kernel code runs in an
// image and nowhere else.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'oxc-parser'

/** Folder -> what it may import, from the bottom of the house to its top. `index.ts` is the library. */
export const MAY_IMPORT = {
  base: [],
  kernel: [],
  step: ['base'],
  kbuild: ['base', 'kernel', 'step'],
  inspect: ['base', 'kernel', 'step'],
  machine: ['base', 'kernel', 'step', 'kbuild', 'inspect'],
  checks: ['base', 'kernel', 'step', 'inspect'],
  explore: ['base', 'step', 'inspect', 'machine', 'checks'],
  trace: ['base'],
  catalog: ['base', 'step', 'kbuild', 'machine', 'checks', 'explore'],
  run: ['base', 'step', 'kbuild', 'inspect', 'machine', 'checks', 'trace', 'catalog'],
  hunt: ['base', 'step', 'kbuild', 'inspect', 'machine', 'checks', 'explore', 'catalog'],
  scale: ['base', 'step', 'kbuild', 'inspect', 'machine', 'catalog', 'run'],
  judge: ['base', 'step', 'kbuild', 'catalog', 'run', 'hunt', 'scale'],
  calibrate: ['base', 'machine', 'catalog'],
  report: ['base', 'kbuild', 'inspect', 'trace', 'run', 'hunt', 'scale', 'judge', 'calibrate'],
  'index.ts': ['base', 'run', 'hunt', 'scale', 'judge'],
  cli: ['base', 'kbuild', 'explore', 'catalog', 'run', 'hunt', 'scale', 'judge', 'calibrate', 'report'],
}

/** Folders beside src that never import the command line. */
const WITHOUT_CLI = ['bench', 'validation', 'workers']

/**
 * The imports that break the table, each `file:line: why`.
 * @param {string} root the folder that holds src
 * @returns {string[]}
 */
export function brokenImports(root) {
  const order = Object.keys(MAY_IMPORT)
  const wrong = order.flatMap((folder, at) =>
    MAY_IMPORT[folder]
      .filter((other) => order.indexOf(other) >= at || !order.includes(other))
      .map(
        (other) =>
          `lint/folders.mjs: ${folder} may not import ${other}: that does not stand above it in the table.`,
      ),
  )
  for (const folder of ['src', ...WITHOUT_CLI])
    for (const file of sources(join(root, folder)))
      for (const { specifier, line, types } of importsOf(file)) {
        const why = specifier.startsWith('.')
          ? refusal(root, file, resolve(dirname(file), specifier), types)
          : undefined
        if (why !== undefined) wrong.push(`${relative(root, file)}:${line}: ${why}`)
      }
  return wrong
}

/** Why `file` may not import `target`; undefined: it may. */
function refusal(root, file, target, types) {
  const [top, from] = relative(root, file).split(/[\\/]/)
  const [topOfTarget, to] = relative(root, target).split(/[\\/]/)
  if (topOfTarget !== 'src') return undefined
  if (top !== 'src') return to === 'cli' ? `${top} imports src/cli: import the use case instead.` : undefined
  if (from === to) return undefined
  if (!(from in MAY_IMPORT)) return `src/${from} is not in the table of lint/folders.mjs.`
  if (!MAY_IMPORT[from].includes(to))
    return `src/${from} may not import src/${to}; it may import ${MAY_IMPORT[from].join(', ') || 'nothing'}.`
  if (to === 'kernel' && !types)
    return `src/${from} may import types of src/kernel only: kernel code runs in an image.`
  return undefined
}

function importsOf(file) {
  const text = readFileSync(file, 'utf8')
  const { module } = parseSync(file, text)
  const line = (offset) => text.slice(0, offset).split('\n').length
  return [
    ...module.staticImports.map(({ start, moduleRequest, entries }) => ({
      specifier: moduleRequest.value,
      line: line(start),
      types: entries.length > 0 && entries.every((entry) => entry.isType),
    })),
    ...module.staticExports.flatMap(({ start, entries }) =>
      entries
        .filter((entry) => entry.moduleRequest !== null)
        .map((entry) => ({ specifier: entry.moduleRequest.value, line: line(start), types: entry.isType })),
    ),
    ...module.dynamicImports.map(({ start, moduleRequest }) => ({
      specifier: text.slice(moduleRequest.start, moduleRequest.end).replaceAll(/^['"]|['"]$/g, ''),
      line: line(start),
      types: false,
    })),
    // `typeof import('…')` is a type, which the record of a module leaves out.
    ...[...text.matchAll(/typeof import\('([^']+)'\)/g)].map((match) => ({
      specifier: match[1],
      line: line(match.index),
      types: true,
    })),
  ]
}

function sources(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sources(path)
    return /\.ts$/.test(entry.name) ? [path] : []
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = process.argv[2] ?? dirname(dirname(fileURLToPath(import.meta.url)))
  const wrong = brokenImports(root)
  for (const line of wrong) console.error(line)
  process.exitCode = wrong.length === 0 ? 0 : 1
}
