// Samples of the hunt, each measurement taken in a process of its own (hunt_process.ts).
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packageRoot } from '../src/base/root.ts'

/** Samples by what they are of. */
export type HuntSamples = Readonly<Record<string, number[]>>

/** The scenarios that are hunted beside same-page; each is a measurement of its name. */
export const BESIDE_SAME_PAGE = ['swap-storm', 'fork-swapped', 'oom'] as const

/** Takes `rounds` samples of `measurement`, a name of hunt_process.ts. */
export async function huntSamples(measurement: string, rounds: number): Promise<HuntSamples> {
  const script = join(packageRoot(), 'dist', 'bench', 'hunt_process.js')
  const { stdout } = await promisify(execFile)(process.execPath, [script, measurement, String(rounds)])
  return JSON.parse(stdout) as HuntSamples
}
