// The texts of --profile, --annotate and --c2c of a point. Leaves out their form: profile_text.ts and scale_c2c.ts.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { KernelImage } from '../kbuild/index.ts'
import { packageRoot } from '../base/root.ts'
import { kernelFrames } from '../inspect/stack.ts'
import { type Place, Profile, siteNames } from './profile.ts'
import type { MachineView } from '../inspect/symbols.ts'
import { formatC2c } from './c2c_text.ts'
import { formatAnnotation, formatProfile } from './profile_text.ts'
import { UsageError } from '../base/errors.ts'

/** What of a profile is wanted. */
export interface ProfileOptions {
  readonly profile: boolean
  /** Names of functions. */
  readonly annotate: readonly string[]
  readonly c2c: boolean
}

/** Frames of a kernel stack are more than V8 keeps by itself. */
const DEEPEST = 80

/** An observer for the points of an image; undefined if nothing is wanted. */
export function profileOf(options: ProfileOptions, image: KernelImage): Profile | undefined {
  if (!options.profile && !options.c2c && options.annotate.length === 0) return undefined
  for (const name of options.annotate)
    if (!image.sites.some((site) => siteNames(site).includes(name)))
      throw new UsageError(`--annotate ${name}: no access of the kernel stands in a function of that name.`)
  Error.stackTraceLimit = DEEPEST
  const known = [new Map<string, readonly Place[]>(), new Map<string, readonly Place[]>()]
  return new Profile(image.sites, (stack, inner) => {
    let frames = known[Number(inner)].get(stack)
    if (frames === undefined) {
      frames = framesOf(stack, image, inner)
      known[Number(inner)].set(stack, frames)
    }
    return frames
  })
}

/** The functions of a stack; `inner`: with the innermost frame, whose own functions a site names. */
function framesOf(stack: string, image: KernelImage, inner: boolean): Place[] {
  const frames = kernelFrames(stack, image.file, packageRoot()).slice(inner ? 0 : 1)
  return frames.flatMap(({ function: name, file, line }) => {
    const plain = { fn: name.replace(/^.*\./, ''), file, line }
    // The call may stand in a function that kbuild put in the place of its call.
    const fn = enclosing(file, line)
    return fn === undefined || fn === plain.fn ? [plain] : [{ ...plain, fn }, plain]
  })
}

const sources = new Map<string, readonly string[]>()

function textOf(file: string): readonly string[] {
  let lines = sources.get(file)
  if (lines === undefined) {
    lines = readFileSync(resolve(packageRoot(), file), 'utf8').split('\n')
    sources.set(file, lines)
  }
  return lines
}

function enclosing(file: string, line: number): string | undefined {
  const lines = textOf(file)
  for (let at = Math.min(line, lines.length) - 1; at >= 0; at--) {
    const match = /^(?:export )?function (\w+)\(/.exec(lines[at])
    if (match !== null) return match[1]
  }
  return undefined
}

/** The wanted texts of what a profile has seen, by option. */
export function profileTexts(
  options: ProfileOptions,
  profile: Profile,
  image: KernelImage,
  view: MachineView,
  command: string,
): Record<string, string> {
  const annotations = options.annotate.map(
    (name) =>
      formatAnnotation(profile, image.sites, name, textOf) ?? `${name}: never executed in the window\n`,
  )
  return {
    ...(options.profile ? { profile: formatProfile(profile, command) } : {}),
    ...(annotations.length > 0 ? { annotate: annotations.join('\n') } : {}),
    ...(options.c2c ? { c2c: formatC2c(view, profile, image.sites) } : {}),
  }
}
