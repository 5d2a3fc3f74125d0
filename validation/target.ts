// What a target of the validation is: a published or measured figure, what the clock predicts for it, and how far they
// may lie apart.

export interface Row {
  /** The target's label, and what of it the row is about. */
  readonly target: string
  readonly what: string
  readonly published: string
  readonly predicted: string
  readonly band: string
  /** undefined: shown, not judged. */
  readonly ok: boolean | undefined
}

export interface Target {
  readonly name: string
  /** What the `target` of each of its rows begins with, and no other's. */
  readonly label: string
  run(tell: (text: string) => void): Promise<Row[]>
}

/** A judged figure within a share of the published one. */
export function within(
  target: string,
  what: string,
  published: number,
  predicted: number,
  share: number,
  unit = '',
): Row {
  const off = predicted / published - 1
  return {
    target,
    what,
    published: `${figure(published)}${unit}`,
    predicted: `${figure(predicted)}${unit} (${off >= 0 ? '+' : ''}${(off * 100).toFixed(1)} %)`,
    band: `${share * 100} %`,
    ok: Math.abs(off) <= share,
  }
}

export function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}
