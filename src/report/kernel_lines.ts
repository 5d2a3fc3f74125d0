// The lines of a heading that say how the kernel was changed. Leaves out its configuration.

/** `reverted: …` and `patched: …`; none of a kernel as it is. */
export function kernelLines(report: {
  readonly reverts: readonly string[]
  readonly patches: readonly string[]
}): string[] {
  const { reverts, patches } = report
  return [
    ...(reverts.length === 0 ? [] : [`reverted: ${reverts.join(', ')}`]),
    ...(patches.length === 0 ? [] : [`patched: ${patches.join(', ')}`]),
  ]
}
