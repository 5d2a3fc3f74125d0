// The kernel of the machine against the model: random calls on address spaces, of which both must say the same in every
// fault, error, boundary of a VMA, count of pages and content.
import { type Call, CALL_NAMES, drawCalls } from '../kernel/calls.ts'
import { disagreement, shrinkCalls } from '../kernel/compare.ts'
import { type Later, laterThan61, patchOf } from '../kernel/later.ts'
import { ModelKernel } from '../kernel/model.ts'
import { type RealKernel, realKernel } from '../kernel/real.ts'
import type { Row, Target } from '../target.ts'

const LABEL = 'Kernel'
const CALLS = 200
/** Configurations of the model, and how many seeds each is held against. */
const FORMS: readonly { settings: readonly string[]; seeds: number }[] = [
  { settings: [], seeds: 200 },
  { settings: ['VMA_LOCK=y', 'SWAP=y', 'PGTABLE_LEVELS=5'], seeds: 40 },
]
const BAND = 'each fault, errno, VMA, rss, content'

async function run(tell: (text: string) => void): Promise<Row[]> {
  const real = realKernel()
  if (typeof real === 'string') return [row(`seeds of ${CALLS} calls`, '', `skipped: ${real}`)]
  tell(`kernel: ${real.release}`)
  const later = laterThan61(real.release)
  const rows: Row[] = []
  for (const { settings, seeds } of FORMS) {
    const model = await ModelKernel.build(later.map(patchOf), settings)
    const agreed = agreement(real, model, seeds, tell)
    const what = [`${seeds} seeds of ${CALLS} calls, one CPU`, ...settings].join(' ')
    rows.push(
      row(what, `Linux ${real.release.split('-')[0]}`, `${agreed} of ${seeds} agree`, agreed === seeds),
    )
  }
  return [...rows, ...later.map((one) => row(`later than 6.1: ${one.name}`, since(one), one.what))]
}

/** About how many seeds the two agree; tells of the others. */
function agreement(
  real: RealKernel,
  model: ModelKernel,
  seeds: number,
  tell: (text: string) => void,
): number {
  let agreed = 0
  for (let seed = 1; seed <= seeds; seed++) {
    const calls = drawCalls(seed, CALLS)
    const found = compare(real, model, calls)
    if (found === undefined) agreed++
    else tell(`seed ${seed}: ${found}\n${example(real, model, calls)}`)
    if (seed % 20 === 0) tell(`kernel: ${agreed} of ${seed} seeds agree`)
  }
  return agreed
}

function row(what: string, published: string, predicted: string, ok?: boolean): Row {
  return { target: LABEL, what, published, predicted, band: ok === undefined ? '' : BAND, ok }
}

function since({ since: [major, minor] }: Later): string {
  return `from ${major}.${minor}`
}

/** What the two do not agree about; a stop of the model too. */
function compare(real: RealKernel, model: ModelKernel, calls: readonly Call[]): string | undefined {
  const expected = real.run(calls)
  try {
    return disagreement(calls, expected, model.run(calls))?.text
  } catch (error) {
    return `the model stopped: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** The shortest part of the calls about which they do not agree. */
function example(real: RealKernel, model: ModelKernel, calls: readonly Call[]): string {
  return shrinkCalls(calls, (some) => compare(real, model, some) !== undefined)
    .map(({ process, kind, args }) => `  process ${process}: ${CALL_NAMES[kind]} ${args.join(' ')}`)
    .join('\n')
}

export const kernel: Target = { name: 'kernel', label: LABEL, run }
