// What a calibration has measured, as text for people: a table of values with their spread, and the loads by working
// set. The row model is the document of `scale --calibrate --json`.
import { isNoisy } from '../calibrate/figure.ts'
import type { CalibrationReport } from '../calibrate/report.ts'
import { count, flow, table, wrap } from '../base/text.ts'

/** The whole report, ending in a newline. */
export function formatCalibration(report: CalibrationReport): string {
  const { topology, ghz, clockStep, values, loads } = report
  const noisy = values.filter(({ figure }) => figure !== undefined && isNoisy(figure))
  const sections = [
    wrap(
      `${topology.description}: ${ghz.toFixed(2)} GHz by dependent multiplications of three cycles; ` +
        `clock steps of ${count(clockStep)} ns`,
    ),
    table([
      ['', 'value', 'cycles', 'half of the rounds', 'rounds', 'how'],
      ...values.map(({ key, value, unit, figure, how }) => [
        key,
        unit === 'ns' ? `${value.toFixed(2)} ns` : count(value),
        unit === 'ns' ? (value * ghz).toFixed(0) : '',
        figure === undefined ? '' : `${figure.low.toFixed(2)} to ${figure.high.toFixed(2)}`,
        figure === undefined ? '' : String(figure.rounds),
        how,
      ]),
    ]),
    [
      'ns of a load, by working set',
      ...flow(loads.map(({ bytes, median }) => `${size(bytes)} ${median.toFixed(1)}`)),
    ],
    noisy.length === 0
      ? []
      : wrap(
          `Noisy: of ${noisy.map(({ key }) => key).join(', ')} the middle half of the rounds spreads ` +
            'by more than a quarter of the median; run it again when the machine is idle.',
        ),
    [`written to ${report.file}; to use it: ${report.command}`],
  ]
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`
}

function size(bytes: number): string {
  return bytes < 1 << 20 ? `${bytes / 1024}K` : `${bytes / (1 << 20)}M`
}
