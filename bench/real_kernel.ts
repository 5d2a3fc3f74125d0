// The real kernel of this machine, for comparison: compiles the C programs of bench/c and runs them. Leaves out what
// they measure.
import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packageRoot } from '../src/base/root.ts'

const run = promisify(execFile)

/** Programs of bench/c, compiled. */
export interface RealKernel {
  /** Faults a second of one thread that writes 64 MiB, of elapsed time and of its CPU time. */
  faultsPerSecond(): Promise<{ elapsed: number; cpu: number }>
  /** Nanoseconds of CPU time of fork() for each of 16,384 pages. */
  forkPerPage(): Promise<number>
}

/** Why there is no figure of the real kernel. */
export const NO_COMPILER = 'no C compiler'

const MIB = '64'

let compiled: RealKernel | undefined | null = null

/** Compiles the programs once; undefined without a C compiler (`cc`), or where the system is not Linux. */
export function realKernel(): RealKernel | undefined {
  if (compiled === null) compiled = process.platform === 'linux' ? compile() : undefined
  return compiled
}

function compile(): RealKernel | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'mmtorture-bench-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const source = join(packageRoot(), 'bench', 'c')
  const program = (name: string): string => join(folder, name)
  try {
    for (const name of ['fault', 'fork'])
      execFileSync('cc', ['-O2', '-pthread', '-o', program(name), join(source, `${name}.c`)], {
        stdio: 'pipe',
      })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  // The first round of a process also makes its page tables and its anon_vma.
  const last = async (name: string, ...options: string[]): Promise<number[]> => {
    const { stdout } = await run(program(name), options)
    return stdout.trim().split('\n').at(-1)!.split(' ').map(Number)
  }
  return {
    async faultsPerSecond() {
      const [elapsed, cpu] = await last('fault', '1', MIB, '2')
      return { elapsed, cpu }
    },
    async forkPerPage() {
      const [time] = await last('fork', MIB, '2')
      return time
    },
  }
}
