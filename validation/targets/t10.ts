// T10: fork's cost a page (Hildenbrand, Xeon 4210R: 54.7 ns; measured on the test machine, an EPYC 7R13: 59 ns).
import { Bench } from '../clock.ts'
import { figure, type Row, type Target } from '../target.ts'

const PAGES = [8192, 16384, 32768, 65536]
const LABEL = 'T10: fork'

async function run(tell: (text: string) => void): Promise<Row[]> {
  const rows: Row[] = []
  for (const [topology, published] of [
    ['milan', 59],
    ['cascadelake', 54.7],
  ] as const) {
    tell(`T10 ${topology}`)
    const bench = await Bench.of(
      'validation/scenarios/fork-pages.ts',
      ['NR_CPUS=1', 'MEMORY=512M', 'TICK=1000000000'],
      topology,
    )
    const times = PAGES.map((pages) => {
      const { machine } = bench.point({ cpus: 1, operations: Infinity, pages })
      return machine.memory[bench.image.symbols['machine$scenario']]
    })
    const { slope, r2 } = line(PAGES, times)
    rows.push(
      {
        ...{ target: LABEL, what: `${topology}: ns a page, 32 to 256 MiB`, published: String(published) },
        ...{ predicted: figure(slope), band: '45 to 75', ok: slope >= 45 && slope <= 75 },
      },
      {
        ...{ target: LABEL, what: `${topology}: linear in pages, R2`, published: 'linear' },
        ...{ predicted: r2.toFixed(4), band: 'above 0.99', ok: r2 > 0.99 },
      },
    )
  }
  return rows
}

/** The least-squares line through points, and the share of their variance that it explains. */
function line(xs: readonly number[], ys: readonly number[]): { slope: number; r2: number } {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length
  const [mx, my] = [mean(xs), mean(ys)]
  const products = (left: readonly number[], a: number, right: readonly number[], b: number): number =>
    left.reduce((sum, value, index) => sum + (value - a) * (right[index] - b), 0)
  const sxy = products(xs, mx, ys, my)
  const sxx = products(xs, mx, xs, mx)
  return { slope: sxy / sxx, r2: (sxy * sxy) / (sxx * products(ys, my, ys, my)) }
}

export const t10: Target = { name: 'T10 fork', label: LABEL, run }
