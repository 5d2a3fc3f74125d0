import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir, availableParallelism } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { refuseUnfit, refuseUnmeasured } from '../../src/calibrate/calibrate.ts'
import { readTopology } from '../../src/catalog/topologies.ts'
import { formatCalibration } from '../../src/report/calibration_text.ts'
import { type CalibrationReport } from '../../src/calibrate/report.ts'
import { type Ended, runCommand } from '../support/command.ts'

const folder = mkdtempSync(join(tmpdir(), 'mmtorture-calibrate-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs the command in an empty folder of its own. */
function scale(...args: string[]): Ended {
  return runCommand(['scale', ...args], folder)
}

describe('--topology host', () => {
  test('says what to do while there is none', () => {
    const { status, stderr } = scale('same-page', '--topology', 'host')
    expect(status).toBe(2)
    expect(stderr).toMatch(
      /^mmtorture: --topology host: this machine has not been measured yet, there is no mmtorture-out.host\.json; mmtorture scale --calibrate measures it and writes that file\.\n$/,
    )
  })
})

test('list topologies names the machine at hand, measured or not', () => {
  const { stdout } = runCommand(['list', 'topologies'])
  expect(stdout).toMatch(/^ {2}host +this machine: mmtorture scale --calibrate/m)
})

describe('--calibrate', () => {
  test.each([
    [['same-page'], /runs no scenario: same-page has no meaning/],
    [['--simulated-time', '1ms'], /--simulated-time has no meaning/],
    [['--topology', 'rome'], /--topology has no meaning/],
  ])('refuses %j', (args, message) => {
    const { status, stderr } = scale('--calibrate', ...args)
    expect(status).toBe(2)
    expect(stderr).toMatch(message)
    expect(existsSync(join(folder, 'mmtorture-out'))).toBe(false)
  })

  test('says plainly where it cannot measure', () => {
    expect(() => refuseUnfit(8, 1)).toThrow(/this process has one CPU/)
    expect(() => refuseUnfit(300, 8)).toThrow(/300 CPUs, more than the 256/)
    expect(() => refuseUnfit(2, 2)).not.toThrow()
    const loops = { multiply: [1], atomic: [1], clearPage: [1], copyPage: [1] }
    const measured = { resolution: 40, loops, chases: [], transfers: [[20]] }
    expect(() => refuseUnmeasured({ ...measured, resolution: 1e6 })).toThrow(/steps of 1\.0 ms, too coarse/)
    expect(() => refuseUnmeasured({ ...measured, transfers: [[], []] })).toThrow(/no two threads/)
    expect(() => refuseUnmeasured(measured)).not.toThrow()
  })
})

// Needs two CPUs. Only the shape of what is measured: figures depend on the machine and its load.
describe.skipIf(availableParallelism() < 2)('a calibration', () => {
  let ran: ReturnType<typeof scale>
  beforeAll(() => {
    ran = scale('--calibrate', '--json')
    // Ten seconds, if nothing else runs.
  }, 300_000)

  test('writes a topology that is complete, has its sources, and is what the report says', () => {
    expect(ran.status, ran.stderr).toBe(0)
    const report = JSON.parse(ran.stdout) as CalibrationReport
    expect(report.schema).toBe('mmtorture/calibration@1')
    const topology = readTopology(join(folder, report.file))
    expect(topology).toEqual(report.topology)
    const { instructions, hit, memory } = topology.costs
    for (const cost of [instructions, hit, memory, ...topology.levels.map(({ load }) => load)])
      expect(cost).toBeGreaterThan(0)
    for (const { key, from } of report.values.filter((value) => value.from === 'default'))
      expect(topology.sources, from).toContainEqual(expect.stringContaining(`not measured: ${key}: `))
  })

  test('is what --topology host runs on', () => {
    const host = JSON.parse(readFileSync(join(folder, 'mmtorture-out/host.json'), 'utf8')) as {
      description: string
    }
    const run = scale(...'same-page --topology host --cpus 1,2 --operations 20 --config MEMORY=8M'.split(' '))
    expect(run.status, run.stderr).toBe(0)
    expect(run.stdout).toContain(`same-page on host (${host.description})`)
    expect(run.stdout).toMatch(/verdict: held\n$/)
  })

  test('is shown as a table with its spread', () => {
    const report = JSON.parse(ran.stdout) as CalibrationReport
    const text = formatCalibration(report)
    const { figure } = report.values.find(({ key }) => key === 'costs.hit')!
    expect(text).toMatch(/value +cycles +half of the rounds +rounds +how/)
    expect(text).toMatch(
      new RegExp(
        `costs\\.hit +[\\d.]+ ns +\\d+ +${figure!.low.toFixed(2)} to ${figure!.high.toFixed(2)} +${figure!.rounds} `,
      ),
    )
    expect(text).toMatch(/to use it: mmtorture scale --topology host\n$/)
  })
})
