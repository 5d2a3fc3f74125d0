// The profile of a point in the form of `perf report --stdio -G`, and of one function in that of `perf annotate
// --stdio`. Leaves out addresses and instructions: the model has source lines.
import type { Site } from '../step/site.ts'
import type { Place, Profile, SiteUse, StackTime } from './profile.ts'
import { count, percent } from '../base/text.ts'

/** Below this share a symbol or a branch is not shown; below the other one a symbol has no graph. */
const SHOWN = 0.005
const GRAPHED = 0.05
const COMMAND_WIDTH = 7

interface Node {
  time: number
  readonly children: Map<string, Node>
}

/** @param command what runs, as perf's column of that name has it */
export function formatProfile(profile: Profile, command: string): string {
  const { stacks, total } = profile
  const children = new Map<string, number>()
  const self = new Map<string, number>()
  for (const { stack, time } of stacks) {
    self.set(stack[0], (self.get(stack[0]) ?? 0) + time)
    for (const name of new Set(stack)) children.set(name, (children.get(name) ?? 0) + time)
  }
  const width = Math.max(COMMAND_WIDTH, command.length)
  const lines = [
    `# Samples: ${count(profile.accesses)} of event 'clock'`,
    `# Event count (approx.): ${Math.round(total / 1000)}`,
    '#',
    `# Children      Self  ${'Command'.padEnd(width)}  Shared Object         Symbol`,
    `# ........  ........  ${'.'.repeat(width)}  ....................  .............................`,
    '#',
  ]
  const symbols = [...children]
    .filter(([, time]) => time / total >= SHOWN)
    .toSorted((left, right) => right[1] - left[1])
  for (const [name, time] of symbols) {
    lines.push(
      `${share(time, total).padStart(10)}${share(self.get(name) ?? 0, total).padStart(10)}  ` +
        `${command.padEnd(width)}  [kernel.kallsyms]     [k] ${name}`,
    )
    if (time / total >= GRAPHED)
      lines.push('            |', `            ---${name}`, ...graph(callees(stacks, name), total), '')
  }
  return `${lines.join('\n')}\n`
}

/** What `name` calls, in all stacks. */
function callees(stacks: readonly StackTime[], name: string): Node {
  const root: Node = { time: 0, children: new Map() }
  for (const { stack, time } of stacks) {
    const at = stack.lastIndexOf(name)
    if (at < 0) continue
    let node = root
    node.time += time
    for (let depth = at - 1; depth >= 0; depth--) {
      let child = node.children.get(stack[depth])
      if (child === undefined) {
        child = { time: 0, children: new Map() }
        node.children.set(stack[depth], child)
      }
      child.time += time
      node = child
    }
  }
  return root
}

function graph(root: Node, total: number): string[] {
  const lines: string[] = []
  const branch = (node: Node, indent: string): void => {
    const shown = [...node.children]
      .filter(([, child]) => child.time / total >= SHOWN)
      .toSorted((left, right) => right[1].time - left[1].time)
    for (const [index, [name, child]] of shown.entries()) {
      const last = index === shown.length - 1
      if (index === 0) lines.push(`${indent}|          `)
      lines.push(`${indent}${last ? ' ' : '|'}--${share(child.time, total)}--${name}`)
      branch(child, `${indent}${last ? ' ' : '|'}          `)
    }
  }
  branch(root, '               ')
  return lines
}

function share(time: number, total: number): string {
  return `${((time / Math.max(1, total)) * 100).toFixed(2)}%`
}

/** What is known of time that is no step's, but the time. */
const NO_STEP = { accesses: 0, missTime: 0, misses: 0, llc: 0, memory: 0, transfers: 0, upgrades: 0 }

/** Where in function `name` an access stands: itself, or the call that kbuild has put its function in the place of. */
function placeIn(site: Site, name: string): Place | undefined {
  return site.fn === name ? site : site.callers?.find((caller) => caller.fn === name)
}

/**
 * The source lines of `name` with their shares of its own time, calls that kbuild has put in line included, and behind
 * those whose accesses miss where they found their lines. undefined: no access stands in it.
 * @param textOf the lines of a source file
 */
export function formatAnnotation(
  profile: Profile,
  sites: readonly Site[],
  name: string,
  textOf: (file: string) => readonly string[],
): string | undefined {
  const own = [...profile.sites].flatMap(([index, use]): [Place, SiteUse][] => {
    const place = placeIn(sites[index], name)
    return place === undefined ? [] : [[place, use]]
  })
  for (const { place, time } of profile.elsewhere)
    if (place.fn === name) own.push([place, { ...NO_STEP, time }])
  if (own.length === 0) return undefined
  const { file } = own[0][0]
  const total = own.reduce((sum, [, use]) => sum + use.time, 0)
  const lines = new Map<number, SiteUse[]>()
  for (const [{ line }, use] of own) lines.set(line, [...(lines.get(line) ?? []), use])
  const text = textOf(file)
  const [from, to] = extent(text, name, Math.min(...lines.keys()), Math.max(...lines.keys()))
  const ruler = '-'.repeat(110)
  const out = [
    ` Percent |\tSource of ${name} (${file}) for clock (${share(total, profile.total)} of all time, ` +
      'percent: local period)',
    ruler,
  ]
  for (let line = from; line <= to; line++) {
    const uses = lines.get(line) ?? []
    const time = uses.reduce((sum, use) => sum + use.time, 0)
    const figure = uses.length === 0 ? '' : ((time / Math.max(1, total)) * 100).toFixed(2)
    out.push(
      `${figure.padStart(8)} : ${String(line).padStart(4)}   ${text[line - 1] ?? ''}${missing(uses, time)}`.trimEnd(),
    )
  }
  return `${out.join('\n')}\n`
}

/** "  <- 61 % of the line's time: 812 of 1,024 accesses miss (memory 700, other CPUs 112)". */
function missing(uses: readonly SiteUse[], time: number): string {
  const add = (field: keyof SiteUse): number => uses.reduce((sum, use) => sum + use[field], 0)
  const misses = add('misses')
  if (misses === 0) return ''
  const where = [
    ['memory', add('memory')],
    ['last-level cache', add('llc')],
    ['other CPUs', add('transfers')],
    ["others' copies taken away", add('upgrades')],
  ].filter(([, n]) => Number(n) > 0)
  const found = where.map(([what, n]) => `${what} ${count(Number(n))}`).join(', ')
  return (
    `   <- ${count(misses)} of ${count(add('accesses'))} accesses ` +
    `miss${found === '' ? '' : ` (${found})`}: ${percent(add('missTime') / Math.max(1, time))} of the ` +
    `line's time`
  )
}

/** The lines of the function's text: from its head to the brace that ends it. */
function extent(text: readonly string[], name: string, first: number, last: number): [number, number] {
  const head = text.findIndex((line) => new RegExp(`^(export )?function ${name}\\(`).test(line))
  if (head < 0) return [first, last]
  const end = text.findIndex((line, index) => index > head && line.startsWith('}'))
  return [head + 1, (end < 0 ? last - 1 : end) + 1]
}
