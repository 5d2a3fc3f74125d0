// A time on the clock as it is typed: 500us, 2ms, 0.01s.

/** Units in a second. */
export const TIME_UNITS: Readonly<Record<string, number>> = { s: 1, ms: 1e3, us: 1e6, ns: 1e9 }

/** The argument of `--simulated-time` that stands for so many seconds. */
export function simulatedTimeArgument(seconds: number): string {
  const [unit, perSecond] =
    Object.entries(TIME_UNITS).find(([, units]) => seconds * units >= 1) ?? (['ns', TIME_UNITS.ns] as const)
  return `${Number((seconds * perSecond).toPrecision(12))}${unit}`
}
