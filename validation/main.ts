// `npm run validate`: every published figure that the clock is held against, beside what it predicts, as a Markdown
// table. Words choose targets by name; --write puts their rows into the table of docs/scale.md as well. Exit status 1
// when a judged figure is out of its band.
import { readFileSync, writeFileSync } from 'node:fs'
import { packageRoot } from '../src/base/root.ts'
import { intoPage, markdown } from './table.ts'
import type { Row } from './target.ts'
import { TARGETS } from './targets/index.ts'

const PAGE = 'docs/scale.md'

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  const write = args.includes('--write')
  const words = args.filter((word) => word !== '--write')
  const unknown = words.find((word) => word.startsWith('-'))
  if (unknown !== undefined) return refused(`${unknown} is no option; there is --write.`)
  const chosen = TARGETS.filter(({ name }) => words.length === 0 || words.some((word) => names(word, name)))
  if (chosen.length === 0)
    return refused(`no target is named so; there are ${TARGETS.map(({ name }) => name).join(', ')}.`)
  // Topologies and scenarios lie there.
  process.chdir(packageRoot())
  const tell = (text: string): void => void process.stderr.write(`validate: ${text}\n`)
  const rows: Row[] = []
  for (const target of chosen) rows.push(...(await target.run(tell)))
  process.stdout.write(markdown(rows))
  if (write) writeFileSync(PAGE, intoPage(readFileSync(PAGE, 'utf8'), rows, chosen, TARGETS))
  return rows.some(({ ok }) => ok === false) ? 1 : 0
}

/** Whether a word of the command line means the target: its whole name, or a part that is no other's whole name. */
function names(word: string, target: string): boolean {
  const wanted = word.toLowerCase()
  const exact = TARGETS.some(({ name }) => name.toLowerCase() === wanted)
  return exact ? target.toLowerCase() === wanted : target.toLowerCase().includes(wanted)
}

function refused(why: string): number {
  process.stderr.write(`validate: ${why}\n`)
  return 2
}
