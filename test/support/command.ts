// The command as a user starts it: a process of its own, from the build. Leaves out what it prints.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { packageRoot } from '../../src/base/root.ts'

const main = join(packageRoot(), 'dist', 'src', 'cli', 'main.js')

export interface Ended {
  /** Null: a signal ended it. */
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
}

/** Starts it in the folder `cwd`; `stdout` may be a file's descriptor. */
export function startCommand(
  args: readonly string[],
  { cwd = packageRoot(), stdout = 'pipe' }: { cwd?: string; stdout?: 'pipe' | number } = {},
): Started {
  const child = spawn(process.execPath, [main, ...args], { cwd, stdio: ['ignore', stdout, 'pipe'] })
  const text = { stdout: '', stderr: '' }
  child.stdout?.on('data', (data: Buffer) => (text.stdout += data.toString()))
  child.stderr?.on('data', (data: Buffer) => (text.stderr += data.toString()))
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (status) => resolve({ status, ...text }))
  })
  return { child, ended }
}

/** Runs it in the folder `cwd`, and waits for its end. */
export function runCommand(args: readonly string[], cwd: string = packageRoot()): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { cwd, encoding: 'utf8' })
  return { status, stdout, stderr }
}
