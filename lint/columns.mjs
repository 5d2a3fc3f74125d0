// No line of code or comment has more than 120 columns: the check that `npm run lint` runs beside the linter. prettier
// keeps code to its own width, but for strings and comments. Lines that are one regular expression cannot be broken.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const COLUMNS = 120
const FOLDERS = [
  'bench',
  'examples',
  'lint',
  'scenarios',
  'src',
  'test',
  'topologies',
  'validation',
  'workers',
]
const REGULAR_EXPRESSION = /^\s*(?:return )?\/(?![/*]).*\/[a-z]*(?:\.test\()?[,;)]*$/

/**
 * The lines that are too long, each `file:line: why`.
 * @param {string} root the folder that holds src
 * @returns {string[]}
 */
export function longLines(root) {
  return FOLDERS.flatMap((folder) => sources(join(root, folder))).flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, index) =>
        line.length <= COLUMNS || REGULAR_EXPRESSION.test(line)
          ? []
          : [`${relative(root, file)}:${index + 1}: ${line.length} columns, at most ${COLUMNS}.`],
      ),
  )
}

function sources(folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.m?ts$|\.mjs$/.test(name))
    .map((name) => join(folder, name))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wrong = longLines(process.argv[2] ?? dirname(dirname(fileURLToPath(import.meta.url))))
  for (const line of wrong) console.error(line)
  process.exitCode = wrong.length === 0 ? 0 : 1
}
