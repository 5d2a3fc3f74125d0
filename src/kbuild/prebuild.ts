// Builds the default image into dist/image, so that the first run need not. Run by `npm run build`.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '../base/errors.ts'
import { defaultConfig, kbuild, prebuiltFolder } from './index.ts'
import { packageRoot } from '../base/root.ts'

const root = packageRoot()
const scenario = join(root, 'scenarios', 'fork-storm.ts')
const missing = [join(root, 'src', 'kernel', 'image.ts'), scenario].filter((file) => !existsSync(file))
if (missing.length > 0) {
  console.error(`mmtorture: no default image yet, there is no ${missing.join(' and no ')}`)
} else {
  try {
    await kbuild(defaultConfig(), { scenario, folders: [prebuiltFolder(root)] })
  } catch (error) {
    // Any command builds the image it needs and reports this then; the rest of the build is of use without it.
    if (!(error instanceof UsageError)) throw error
    console.error(`mmtorture: the default image was not built: ${error.message}`)
  }
}
