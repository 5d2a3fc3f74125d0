// Where results go: stdout, and files. A full disk or a closed pipe ends a command with a message (UsageError), not with a stack.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
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
    throw outputError(path, error as Error)
  }
}

/** Makes a folder and those above it. Throws what mkdirSync throws. (With `recursive` that never returns under /proc.) */
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

/**
 * Where a command's report goes: `--out` takes NAME.json and NAME.txt, `--json=FILE` the document, stdout the text or, with `--json` alone (`-`),
 * the document.
 */
export async function writeReport(
  name: string,
  report: { readonly document: string; readonly text: string },
  options: { readonly json?: string; readonly out?: string },
): Promise<void> {
  const { document, text } = report
  if (options.out !== undefined) {
    writeResult(join(options.out, `${name}.json`), document)
    writeResult(join(options.out, `${name}.txt`), text)
  }
  if (options.json !== undefined && options.json !== '-') writeResult(options.json, document)
  await writeStdout(options.json === '-' ? document : text)
}

/** One short line on stderr. */
export function progress(text: string): void {
  process.stderr.write(`mmtorture: ${text}\n`)
}

function outputError(where: string, error: NodeJS.ErrnoException): UsageError {
  const reasons: Readonly<Record<string, string>> = {
    EPIPE: 'its reader has closed it',
    ENOSPC: 'no space is left',
    EACCES: 'permission denied',
    EISDIR: 'it is a folder',
    EROFS: 'the file system is read-only',
    ENOENT: 'there is no such folder, and it cannot be made',
    ENOTDIR: 'a part of the path is no folder',
  }
  return new UsageError(`cannot write to ${where}: ${reasons[error.code ?? ''] ?? error.message}.`)
}
