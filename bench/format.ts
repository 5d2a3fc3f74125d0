// The text of a benchmark's results. Leaves out measuring.
import type { Ratio } from './ratio.ts'

/** One ratio: its name and verdict, then the figure, the target and what the figure was made of. */
export function formatRatio(result: Ratio): string {
  const { name, figure, unit, target, sense, met, detail } = result
  if (Number.isNaN(figure)) return `${'skipped'.padEnd(8)}${name}\n        ${detail}\n`
  const unmeasured = target === 0 ? 'progress' : `${sense} ${number(target)} ${unit}`
  return (
    `${(met ? 'met' : 'NOT MET').padEnd(8)}${name}\n        ${number(figure)} ${unit} (target: ` +
    `${unmeasured}); ${detail}\n`
  )
}

/** The last lines: how many targets were met, and how busy the machine was. */
export function formatSummary(
  results: readonly Ratio[],
  seconds: number,
  load: number,
  cores: number,
): string {
  const measured = results.filter(({ figure }) => !Number.isNaN(figure))
  const met = measured.filter((result) => result.met).length
  const skipped = results.length - measured.length
  const busy =
    load > cores + 1
      ? `The machine was busy with something else (load ${load.toFixed(1)} on ${cores} cores): the figures are rough.\n`
      : ''
  return (
    `${met} of ${measured.length} targets met${skipped > 0 ? `, ${skipped} skipped` : ''}, in ` +
    `${seconds.toFixed(0)} s.\n${busy}`
  )
}

function number(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toFixed(2)))
}
