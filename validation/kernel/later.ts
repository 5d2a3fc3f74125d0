// What later kernels do otherwise than 6.1, as far as the validation's calls can see it: each a patch of the model with
// its name, for machines with such a kernel. Nothing else may differ.
import { join } from 'node:path'
import { packageRoot } from '../../src/base/root.ts'

export interface Later {
  /** later/NAME.patch. */
  readonly name: string
  /** The first release that does so. */
  readonly since: readonly [number, number]
  readonly what: string
}

export const LATER: readonly Later[] = [
  {
    name: 'mprotect-unaccount',
    since: [6, 7],
    what: 'mprotect takes VM_ACCOUNT from a private VMA without pages that may no longer be written',
  },
  {
    name: 'madvise-populate-stops',
    since: [6, 9],
    what: 'MADV_POPULATE_ ends at the first hole',
  },
  {
    name: 'merge-unfaulted',
    since: [6, 16],
    what: 'a VMA with pages merges into one without',
  },
  {
    name: 'mremap-many-vmas',
    since: [6, 17],
    what: 'mremap moves several VMAs, and looks at all arguments before it unmaps anything',
  },
]

/** What a kernel of this release (`6.18.44-…`) does otherwise. */
export function laterThan61(release: string): Later[] {
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10))
  return LATER.filter(({ since }) => major > since[0] || (major === since[0] && minor >= since[1]))
}

/** The path of its patch. */
export function patchOf({ name }: Later): string {
  return join(packageRoot(), 'validation', 'kernel', 'later', `${name}.patch`)
}
