// Runs the project's build once for all tests: workers are started from dist/. MMTORTURE_NO_BUILD=1 skips it.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export default function setup(): void {
  if (process.env.MMTORTURE_NO_BUILD === '1') return
  const root = fileURLToPath(new URL('..', import.meta.url))
  try {
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    throw new Error(`the build failed:\n${stdout ?? ''}${stderr ?? ''}`, { cause: error })
  }
}
