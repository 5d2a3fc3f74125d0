// The whole report of a hunt, one revert a check: what a reader sees, compared word for word. After a change that is
// meant to show, `npx vitest run test/reverts/reports.test.ts -u` writes reports/ anew; read the difference before it
// goes in.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { listReverts } from '../../src/catalog/reverts.ts'
import { startCommand } from '../support/command.ts'
import { REPORTED, REPORTED_PATCHES, masked } from './reported.ts'

const folder = mkdtempSync(join(tmpdir(), 'mmtorture-reports-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** What `mmtorture hunt` prints, in a folder of its own. */
async function huntReport(...words: string[]): Promise<string> {
  const { stdout } = await startCommand(['hunt', ...words], { cwd: folder }).ended
  return stdout
}

describe('reports of hunts', () => {
  it('are each of a check that its revert is known to be found by', () => {
    const checksOf = new Map(listReverts().map(({ id, checks }) => [id, checks]))
    for (const [check, words] of Object.entries(REPORTED))
      expect(checksOf.get(words.split(' ')[0])).toContain(check)
  })

  async function expectReport(check: string, ...words: string[]): Promise<void> {
    const report = await huntReport(...words, '--seed', '1', '--executions', '1280')
    expect(report).toMatch(new RegExp(`^verdict: violated by ${check} `, 'm'))
    await expect(masked(report)).toMatchFileSnapshot(`reports/${check}.txt`)
  }

  it.each(Object.entries(REPORTED))('%s reads as it did', { timeout: 120_000 }, (check, words) =>
    expectReport(check, '--revert', ...words.split(' ')),
  )

  it.each(Object.entries(REPORTED_PATCHES))(
    '%s reads as it did, by a patch',
    { timeout: 120_000 },
    async (check, [scenario, patch]) => {
      const file = `${patch}.patch`
      copyFileSync(new URL(`patches/${file}`, import.meta.url), join(folder, file))
      await expectReport(check, scenario, '--patch', file)
    },
  )
})

describe('what a report has of time', () => {
  it('is masked, and nothing else', () => {
    const line =
      'executions  16 in 3.47 s, 5/s\nsteps       28,924, 8,329/s\nverdict: x in execution 15 after 3.47 s\n'
    expect(masked(line)).toBe(
      'executions  16 in … s, …/s\nsteps       28,924, …/s\nverdict: x in execution 15 after … s\n',
    )
  })
})
