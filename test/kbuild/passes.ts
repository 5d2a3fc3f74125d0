// Runs single passes over a text, for tests.
import { type AnnouncedKind, announce } from '../../src/kbuild/announce.ts'
import { type Site } from '../../src/step/site.ts'
import { callsOf, expandHelpers } from '../../src/kbuild/expand.ts'
import { inlineCalls } from '../../src/kbuild/inline.ts'
import { PassText } from '../../src/kbuild/pass_text.ts'
import { PRIMITIVES } from '../../src/kbuild/primitives.ts'
import { dropUnreached, pruneBranches } from '../../src/kbuild/prune.ts'
import { suspend, suspendedFunctions } from '../../src/kbuild/suspend.ts'

const isPrimitive = (name: string): boolean => PRIMITIVES.has(name)

export function textOf(code: string): PassText {
  const source = { path: '/kernel/k.ts', id: 'k.ts', text: code, patched: false }
  return PassText.of(source, code)
}

export function announced(code: string, kind: AnnouncedKind = 'stepped'): { code: string; sites: Site[] } {
  const sites: Site[] = []
  const text = textOf(code)
  return { code: text.edit(announce(text, kind, PRIMITIVES, sites)).code, sites }
}

/** The text with `roots` and what reaches a primitive as generators; primitives themselves stay calls. */
export function suspended(code: string, roots: string[] = []): string {
  const text = textOf(code)
  return text.edit(suspend(text, isPrimitive, suspendedFunctions([text], isPrimitive, roots))).code
}

function expandedText(code: string): PassText {
  let text = textOf(code)
  for (;;) {
    const [next] = expandHelpers([text], callsOf([text], isPrimitive))
    if (next === text) return text
    text = next
  }
}

export function expanded(code: string): string {
  return expandedText(code).code
}

/** Sites after expanding and announcing. */
export function expandedSites(code: string): Site[] {
  return sitesOf(expandedText(code))
}

/** The text after `rounds` rounds of putting functions in place of their calls. */
export function inlinedText(code: string, rounds = 1): PassText {
  let text = textOf(code)
  const image = { replaced: 0 }
  for (let round = 0; round < rounds; round++)
    text = inlineCalls([text], callsOf([text], isPrimitive), image, false)[0]
  return text
}

export function sitesOf(text: PassText): Site[] {
  const sites: Site[] = []
  announce(text, 'stepped', PRIMITIVES, sites)
  return sites
}

export function pruned(code: string): string {
  const text = textOf(code)
  return text.edit(pruneBranches(text)).code
}

export function reached(code: string, ...roots: string[]): string {
  const { source, functions } = textOf(code)
  const ends = functions.map(({ end }, index) => (index === functions.length - 1 ? code.length : end))
  const parts = ends.map((end, index) => PassText.part(source, code, ends[index - 1] ?? 0, end))
  return dropUnreached(parts, roots)
    .map((text) => text.code)
    .join('')
}

/** A function `f(p, q)` with this body. */
export function inFunction(body: string): string {
  return `function f(p, q) {\n  ${body}\n}`
}

/** The body of the function that inFunction made. */
export function bodyOf(code: string): string {
  return code.replace(/^function\*? f\(p, q\) \{\n {2}/, '').replace(/\n\}$/, '')
}
