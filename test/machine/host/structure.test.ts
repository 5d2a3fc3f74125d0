import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type CpuPlace, hostStructure, structureOf } from '../../../src/machine/host/structure.ts'

const folder = mkdtempSync(join(tmpdir(), 'mmtorture-structure-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** CPUs numbered as Linux does: the first threads of `cores` cores, then the second ones. */
function places(cores: number, threads: number, coresPerCluster: number, coresPerSocket: number): CpuPlace[] {
  return Array.from({ length: cores * threads }, (_, cpu) => ({
    cpu,
    core: String(cpu % cores),
    cluster: String(Math.floor((cpu % cores) / coresPerCluster)),
    socket: String(Math.floor((cpu % cores) / coresPerSocket)),
    ...{ private: 524288, llc: 33554432 },
  }))
}

describe('the levels of a host', () => {
  test('are threads, last-level caches, sockets and the box', () => {
    const { levels, threads, llcCpus } = structureOf(places(32, 2, 8, 16), 64)
    expect(levels).toEqual([
      { name: 'core', cpus: 2 },
      { name: 'cluster', cpus: 16 },
      { name: 'socket', cpus: 32 },
      { name: 'box', cpus: 64 },
    ])
    expect([threads, llcCpus]).toEqual([2, 16])
  })

  test('that join no more CPUs than the one before are left out', () => {
    expect(structureOf(places(4, 1, 4, 4), 4).levels).toEqual([{ name: 'cluster', cpus: 4 }])
  })

  test('say how far two CPUs lie from one another', () => {
    const { levels, levelOf } = structureOf(places(32, 2, 8, 16), 64)
    expect([32, 1, 8, 16].map((other) => levels[levelOf(0, other)].name)).toEqual([
      'core',
      'cluster',
      'socket',
      'box',
    ])
  })

  test('are one where groups differ in size', () => {
    const hybrid = places(6, 1, 6, 6).map((place) => ({
      ...place,
      core: place.cpu < 2 ? '0' : String(place.cpu),
    }))
    expect(structureOf(hybrid, 6).levels).toEqual([{ name: 'box', cpus: 6 }])
  })

  test('are one where the system says nothing', () => {
    expect(structureOf([], 8)).toMatchObject({ levels: [{ name: 'box', cpus: 8 }], llcCpus: 8, llc: 0 })
  })

  test('have no threads to number apart where siblings are neighbours', () => {
    const adjacent = places(2, 2, 2, 2).map((place) => ({ ...place, core: String(place.cpu >> 1) }))
    expect(structureOf(adjacent, 4)).not.toHaveProperty('threads')
  })
})

describe('what Linux says of its CPUs', () => {
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), `${text}\n`)
  }
  for (const cpu of [0, 1]) {
    write(`cpu${cpu}/topology/thread_siblings_list`, String(cpu))
    write(`cpu${cpu}/topology/physical_package_id`, '0')
    for (const [index, level, type, size, shared] of [
      ['index0', '1', 'Data', '32K', String(cpu)],
      ['index1', '1', 'Instruction', '1024K', String(cpu)],
      ['index2', '2', 'Unified', '512K', String(cpu)],
      ['index3', '3', 'Unified', '32768K', '0-1'],
    ])
      for (const [name, text] of Object.entries({ level, type, size, shared_cpu_list: shared }))
        write(`cpu${cpu}/cache/${index}/${name}`, text)
  }

  test('is read from its files', () => {
    expect(hostStructure(2, folder)).toMatchObject({
      ...{ cpus: 2, levels: [{ name: 'cluster', cpus: 2 }], llcCpus: 2 },
      ...{ private: 512 << 10, llc: 32 << 20 },
    })
  })

  test('does not count where it says it of other CPUs than there are', () => {
    expect(hostStructure(4, folder).levels).toEqual([{ name: 'box', cpus: 4 }])
  })

  test('may be nothing', () => {
    expect(hostStructure(4, join(folder, 'none')).levels).toEqual([{ name: 'box', cpus: 4 }])
  })
})
