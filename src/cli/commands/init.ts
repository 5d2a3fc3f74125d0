// `mmtorture init [DIR]`: a folder to begin in, with a page-table-lock design, a scenario, a tsconfig.json that knows
// the kernel's types and a README. Leaves out installing anything.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, relative, resolve } from 'node:path'
import { UsageError } from '../../base/errors.ts'
import { writeResult, writeStdout } from '../../base/output.ts'
import { packageRoot } from '../../base/root.ts'
import { shellQuote } from '../../base/shell.ts'

/** File of the new folder -> example that it is a copy of. */
const COPIES: Readonly<Record<string, string>> = {
  'my-lock.ts': 'examples/ptlock/halves.ts',
  'my-race.ts': 'examples/scenarios/my-race.ts',
}

const README = `# My page-table locks

my-lock.ts is a page-table-lock design, two locks for each table, my-race.ts a scenario with a race in it. Both are
kernel code; tsc -p . checks them.

    npx mmtorture judge my-lock.ts pmd
    npx mmtorture run same-page --config PTLOCK=my-lock.ts
    npx mmtorture hunt same-page --config PTLOCK=my-lock.ts --seed 1 --executions 1000
    npx mmtorture scale page-fault-disjoint --config PTLOCK=my-lock.ts,pmd --cpus 1,4,16
    npx mmtorture hunt my-race.ts --seed 1

The first one hunts, runs and measures my-lock.ts in two minutes, beside the default design. The last one ends with a
violation, and with the command that replays it.
`

/**
 * Writes the folder and prints what to do in it. Throws UsageError, and writes nothing, if it holds one of the files
 * already.
 */
export async function initCommand(folder: string): Promise<void> {
  const root = packageRoot()
  const files = new Map([
    ...Object.entries(COPIES).map(([name, example]) => [name, copyOf(join(root, example), name)] as const),
    ['tsconfig.json', `${JSON.stringify(tsconfig(resolve(folder), root), null, 2)}\n`],
    ['README.md', README],
  ])
  const taken = [...files.keys()].find((name) => existsSync(join(folder, name)))
  if (taken !== undefined)
    throw new UsageError(`init ${folder}: ${taken} is there already; choose a folder without it.`)
  for (const [name, text] of files) writeResult(join(folder, name), text)
  const go = relative('', folder) === '' ? '' : `cd ${shellQuote(folder)}, `
  await writeStdout(`wrote ${[...files.keys()].join(', ')}; to begin: ${go}read README.md\n`)
}

/** An example under its new name: what it says of how it is run is said of the new file. */
function copyOf(example: string, name: string): string {
  return readFileSync(example, 'utf8').replaceAll(/examples\/\w+\/[\w-]+\.ts/g, name)
}

/**
 * Strict, for code that runs in no host. Where mmtorture is not installed above the folder, its types are named by
 * path.
 */
function tsconfig(folder: string, root: string): object {
  const compilerOptions = { module: 'nodenext', target: 'es2022', strict: true, noEmit: true, types: [] }
  const kernel = relative(folder, join(root, 'dist/src/kernel/index.d.ts')).replaceAll('\\', '/')
  const paths = isInstalled(folder) ? {} : { paths: { 'mmtorture/kernel': [kernel] } }
  return { compilerOptions: { ...compilerOptions, ...paths }, include: ['*.ts'] }
}

function isInstalled(folder: string): boolean {
  try {
    createRequire(join(folder, 'tsconfig.json')).resolve('mmtorture/package.json')
    return true
  } catch {
    return false
  }
}
