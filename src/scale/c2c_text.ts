// The lines that CPUs take from one another, in the manner of `perf c2c report --stdio`: the hottest ones, and of each
// the words at which CPUs met, by struct and field, with the places that read and that wrote it most often. Lines of
// objects of one kind are taken together. Leaves out accesses that moved no line.
import type { Site } from '../step/site.ts'
import { nameKind } from '../inspect/names.ts'
import { lineOf, type Profile, type WordUse } from './profile.ts'
import type { MachineView } from '../inspect/symbols.ts'
import { count } from '../base/text.ts'

const MOST = 10
const WIDE = '================================================='

interface Kind {
  readonly name: string
  readonly lines: Set<number>
  readonly words: Map<string, WordUse>
  loads: number
  stores: number
  time: number
}

export function formatC2c(view: MachineView, profile: Profile, sites: readonly Site[]): string {
  const kinds = [...kindsOf(view, profile).values()]
    .toSorted((left, right) => right.time - left.time)
    .slice(0, MOST)
  const total = profile.total
  const all = kinds.reduce((sum, kind) => sum + kind.time, 0)
  const row = (cells: readonly (string | number)[]): string =>
    cells.map((cell, index) => (index === 1 ? String(cell).padEnd(34) : String(cell).padStart(9))).join(' ')
  const per = (part: number, whole: number): string => `${((part / Math.max(1, whole)) * 100).toFixed(2)}%`
  const lines = [
    WIDE,
    '           Shared Data Cache Line Table          ',
    WIDE,
    row(['# Index', 'Cacheline', 'Lines', 'Loads', 'Stores', 'of these', 'of time']),
    ...kinds.map((kind, index) =>
      row([
        index,
        kind.name,
        count(kind.lines.size),
        count(kind.loads),
        count(kind.stores),
        per(kind.time, all),
        per(kind.time, total),
      ]),
    ),
    '',
    WIDE,
    '      Shared Cache Line Distribution Pareto      ',
    WIDE,
  ]
  const placeOf = (does: string, places: ReadonlyMap<number, number>): string | undefined => {
    const [most] = [...places].toSorted((left, right) => right[1] - left[1])
    if (most === undefined) return undefined
    const { fn, file, line } = sites[most[0]]
    return `${does.padEnd(5)}  [k] ${fn} ${file}:${line}`
  }
  for (const [index, kind] of kinds.entries()) {
    lines.push(
      `  ${String(index).padStart(4)}  ${kind.name}: ${count(kind.loads)} loads, ` +
        `${count(kind.stores)} stores moved a line`,
    )
    const words = [...kind.words].toSorted((left, right) => right[1].time - left[1].time).slice(0, MOST)
    for (const [word, use] of words) {
      const shares =
        `        ${per(use.loads, kind.loads).padStart(8)} ${per(use.stores, kind.stores).padStart(8)} ` +
        ` ${word.padEnd(34)} ${String(use.cpus.size).padStart(4)} CPUs`
      for (const [index, place] of [placeOf('read', use.readers), placeOf('write', use.writers)]
        .filter((one) => one !== undefined)
        .entries())
        lines.push(`${index === 0 ? shares : ' '.repeat(shares.length)}  ${place}`)
    }
  }
  return `${lines.join('\n')}\n`
}

function kindsOf(view: MachineView, profile: Profile): Map<string, Kind> {
  const kinds = new Map<string, Kind>()
  for (const [addr, use] of profile.words) {
    const line = lineOf(addr)
    const name = nameKind(view, line << 4)
    let kind = kinds.get(name)
    if (kind === undefined) {
      kind = { name, lines: new Set(), words: new Map(), loads: 0, stores: 0, time: 0 }
      kinds.set(name, kind)
    }
    kind.lines.add(line)
    kind.loads += use.loads
    kind.stores += use.stores
    kind.time += use.time
    const word = nameKind(view, addr)
    const known = kind.words.get(word)
    if (known === undefined)
      kind.words.set(word, {
        ...use,
        cpus: new Set(use.cpus),
        readers: new Map(use.readers),
        writers: new Map(use.writers),
      })
    else {
      known.loads += use.loads
      known.stores += use.stores
      known.time += use.time
      for (const cpu of use.cpus) known.cpus.add(cpu)
      addTo(known.readers, use.readers)
      addTo(known.writers, use.writers)
    }
  }
  return kinds
}

function addTo(sums: Map<number, number>, counts: ReadonlyMap<number, number>): void {
  for (const [site, times] of counts) sums.set(site, (sums.get(site) ?? 0) + times)
}
