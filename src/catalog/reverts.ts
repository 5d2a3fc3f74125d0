// Reverts: historic races put back into the kernel by a patch, one folder each under reverts/: revert.patch, and
// race.md, whose head says where it is found. Leaves out applying them: patch.ts.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '../base/errors.ts'
import { didYouMean } from '../base/nearest.ts'
import { packageRoot } from '../base/root.ts'

/** A revert, as the head of its race.md describes it; what that does not say is empty or undefined. */
export interface Revert {
  readonly id: string
  /** One line. */
  readonly description: string
  /** The scenario in which a hunt finds it; empty if it names none. */
  readonly scenario: string
  /** Absolute path of the patch. */
  readonly patch: string
  /** Settings (KEY=VALUE) that it needs beside those of a hunt. */
  readonly config: readonly string[]
  /** The form of the scenario in which it is found: CPUs, operations of a task, pages. */
  readonly cpus: number | undefined
  readonly operations: number | undefined
  readonly pages: number | undefined
  /** Names of the checks that find it. */
  readonly checks: readonly string[]
}

/** All reverts, by id. */
export function listReverts(root: string = packageRoot()): Revert[] {
  let ids: string[] = []
  try {
    ids = readdirSync(join(root, 'reverts'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
  } catch {
    return []
  }
  return ids.toSorted().map((id) => read(root, id))
}

/** The revert `id`. Throws UsageError if there is none. */
export function readRevert(id: string, root: string = packageRoot()): Revert {
  const reverts = listReverts(root)
  const found = reverts.find((revert) => revert.id === id)
  if (found) return found
  const hint = didYouMean(
    id,
    reverts.map((revert) => revert.id),
  )
  throw new UsageError(`there is no revert ${id}${hint}; mmtorture list reverts names them.`)
}

function read(root: string, id: string): Revert {
  const folder = join(root, 'reverts', id)
  let text = ''
  try {
    text = readFileSync(join(folder, 'race.md'), 'utf8')
  } catch {
    // A revert without a description is still one.
  }
  const head = /^---\n([\s\S]*?)\n---\n/.exec(text)?.[1] ?? ''
  const field = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(head)?.[1].trim() ?? ''
  const words = (name: string): string[] =>
    field(name)
      .split(/[\s,]+/)
      .filter((word) => word !== '')
  const number = (name: string): number | undefined => (field(name) === '' ? undefined : Number(field(name)))
  return {
    id,
    description: field('title'),
    scenario: field('scenario'),
    patch: join(folder, 'revert.patch'),
    config: words('config'),
    cpus: number('cpus'),
    operations: number('operations'),
    pages: number('pages'),
    checks: words('check'),
  }
}
