// Where results go: stdout, and files. A full disk or a closed pipe ends a command with a message (UsageError), not
// with a stack.
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { UsageError } from './errors.ts'

/** Folder of the files that a command writes without being told where. */
export const DEFAULT_OUT = 'mmtorture-out'

/** Writes `text` to stdout and resolves when it is out. */
export function writeStdout(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(outputError('stdout', error))
    process.stdout.once('error', failed)
    process.stdout.write(text, (error) => {
      if (error) failed(error)
      else {
        process.stdout.off('error', failed)
        resolve()
      }
    })
  })
}

/** Writes a result file, and the folders it lies in. */
export function writeResult(path: string, text: string): void {
  try {
    makeFolder(dirname(path))
    writeFileSync(path, text)
  } catch (error) {
    throw outputError(path, error as Error, 'the file is missing or cut')
  }
}

/**
 * Makes a folder and those above it. Throws what mkdirSync throws. (With `recursive` that never returns under /proc.)
 */
export function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  makeFolder(dirname(folder))
  try {
    mkdirSync(folder)
  } catch (error) {
    // Another command was faster.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** Where a report goes. `-`: stdout. */
interface ReportOptions {
  readonly json?: string
  /** The rows as comma-separated values. */
  readonly csv?: string
  /** Folder of text and document. */
  readonly out?: string
}

/** What else a command writes. */
interface Besides {
  /** Path -> text. */
  readonly files?: ReadonlyMap<string, string>
  /** Why files are missing that were to be written before. */
  readonly failures?: readonly UsageError[]
}

/**
 * Where a command's report goes: `--out` takes NAME.json and NAME.txt, `--json=FILE` the document, stdout the text or,
 * with `--json` or `--csv` alone (`-`), that. Throws UsageError that names what is missing or cut, when all else is
 * written.
 */
export async function writeReport(
  name: string,
  report: { readonly document: string; readonly text: string; readonly csv?: string },
  options: ReportOptions,
  besides: Besides = {},
): Promise<void> {
  const { document, text, csv = '' } = report
  const content = { document, text, csv }
  const files = new Map([
    ...(besides.files ?? []),
    ...reportFiles(name, options).map(({ path, form }) => [path, content[form]] as const),
  ])
  // The report first, and what fails to be written takes nothing else along.
  const failures = [...(besides.failures ?? [])]
  const failed = (error: unknown): void => {
    if (!(error instanceof UsageError)) throw error
    failures.push(error)
  }
  await writeStdout(options.json === '-' ? document : options.csv === '-' ? csv : text).catch(failed)
  for (const [path, content] of files)
    try {
      writeResult(path, content)
    } catch (error) {
      failed(error)
    }
  if (failures.length > 0) throw new UsageError(failures.map(({ message }) => message).join(' '))
}

/**
 * Throws UsageError when a file that writeReport will write cannot be made: said at the start, not after the work.
 * Makes the folders and leaves no file. (A full disk shows only when the text is written.)
 * @param besides paths of other files
 */
export function checkWritable(name: string, options: ReportOptions, besides: readonly string[] = []): void {
  if (options.json === '-' && options.csv === '-')
    throw new UsageError('--json and --csv both print; give one of them a file, such as --csv=FILE.')
  for (const path of [...reportFiles(name, options).map((file) => file.path), ...besides])
    try {
      makeFolder(dirname(path))
      const old = statSync(path, { throwIfNoEntry: false })
      // To open a pipe would wait for its reader.
      if (old !== undefined && !old.isFile() && !old.isDirectory()) accessSync(path, constants.W_OK)
      else closeSync(openSync(path, 'a'))
      if (old === undefined) rmSync(path)
    } catch (error) {
      throw outputError(path, error as Error)
    }
}

/** Throws UsageError when no file can be made in `folder`, which may be missing and stays so. */
export function checkFolder(folder: string): void {
  const missing: string[] = []
  for (let at = resolve(folder); !existsSync(at); at = dirname(at)) missing.push(at)
  const probe = join(folder, `.mmtorture-${process.pid}`)
  try {
    makeFolder(folder)
    closeSync(openSync(probe, 'wx'))
    rmSync(probe)
  } catch (error) {
    throw outputError(folder, error as Error)
  } finally {
    for (const made of missing)
      try {
        rmdirSync(made)
      } catch {
        // It was not made, or another command has put something into it.
      }
  }
}

/** The files of a report, and what stands in each. */
function reportFiles(
  name: string,
  { json, csv, out }: ReportOptions,
): { readonly path: string; readonly form: 'document' | 'text' | 'csv' }[] {
  return [
    ...(out === undefined
      ? []
      : [
          { path: join(out, `${name}.json`), form: 'document' as const },
          { path: join(out, `${name}.txt`), form: 'text' as const },
        ]),
    ...(json === undefined || json === '-' ? [] : [{ path: json, form: 'document' as const }]),
    ...(csv === undefined || csv === '-' ? [] : [{ path: csv, form: 'csv' as const }]),
  ]
}

/** One short line on stderr. */
export function progress(text: string): void {
  process.stderr.write(`mmtorture: ${text}\n`)
}

function outputError(where: string, error: NodeJS.ErrnoException, result?: string): UsageError {
  const reasons: Readonly<Record<string, string>> = {
    EPIPE: 'its reader has closed it',
    ENOSPC: 'no space is left',
    EACCES: 'permission denied',
    EISDIR: 'it is a folder',
    EROFS: 'the file system is read-only',
    ENOENT: 'there is no such folder, and it cannot be made',
    ENOTDIR: 'a part of the path is no folder',
  }
  const reason = reasons[error.code ?? ''] ?? error.message
  return new UsageError(`cannot write to ${where}: ${reason}${result === undefined ? '' : `; ${result}`}.`)
}
