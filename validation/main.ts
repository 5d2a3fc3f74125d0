// `npm run validate`: every published figure that the clock is held against, beside what it predicts, as a Markdown table. Words choose
// targets by name. Exit status 1 when a judged figure is out of its band.
import { packageRoot } from '../src/kbuild/root.ts'
import type { Row, Target } from './target.ts'
import { real } from './targets/real.ts'
import { seeds } from './targets/seeds.ts'
import { t1 } from './targets/t1.ts'
import { t10 } from './targets/t10.ts'
import { t6 } from './targets/t6.ts'
import { t9 } from './targets/t9.ts'

const TARGETS: readonly Target[] = [t1, t6, t9, t10, real, seeds]

process.exitCode = await main(process.argv.slice(2))

async function main(words: readonly string[]): Promise<number> {
  const chosen = TARGETS.filter(
    ({ name }) => words.length === 0 || words.some((word) => name.toLowerCase().includes(word.toLowerCase())),
  )
  if (chosen.length === 0) {
    process.stderr.write(
      `validate: no target is named so; there are ${TARGETS.map(({ name }) => name).join(', ')}.\n`,
    )
    return 2
  }
  // Topologies and scenarios lie there.
  process.chdir(packageRoot())
  const tell = (text: string): void => void process.stderr.write(`validate: ${text}\n`)
  const rows: Row[] = []
  for (const target of chosen) rows.push(...(await target.run(tell)))
  process.stdout.write(markdown(rows))
  return rows.some(({ ok }) => ok === false) ? 1 : 0
}

function markdown(rows: readonly Row[]): string {
  const lines = ['| target | what | published | predicted | band | verdict |', '|---|---|---|---|---|---|']
  for (const { target, what, published, predicted, band, ok } of rows)
    lines.push(
      `| ${target} | ${what} | ${published} | ${predicted} | ${band} | ${ok === undefined ? '' : ok ? 'met' : 'MISSED'} |`,
    )
  const judged = rows.filter(({ ok }) => ok !== undefined)
  lines.push(
    '',
    `${judged.filter(({ ok }) => ok).length} of ${judged.length} judged figures lie in their band.`,
  )
  return `${lines.join('\n')}\n`
}
