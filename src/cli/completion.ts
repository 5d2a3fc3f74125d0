// Completion for shells: scripts made of the command's own tree of commands and options and of the names in the
// catalog, so that a shell starts no process to complete. Leaves out paths: shells complete them by themselves,
// wherever no name fits.
import type { Command } from 'commander'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** What can stand for a value: by the name of an argument, or by an option (`--revert`). */
export type Names = Readonly<Record<string, readonly string[]>>

/** What can be completed. */
export interface Vocabulary {
  readonly names: Names
  /** Key of --config -> its values; none where it takes a number. */
  readonly config: Readonly<Record<string, readonly string[]>>
}

interface OptionWords {
  readonly long: string
  readonly description: string
  /** None: it takes no value. */
  readonly value?: readonly string[]
  /** The value is joined on by `=` or left out. */
  readonly optional: boolean
}

interface CommandWords {
  readonly name: string
  readonly description: string
  readonly options: readonly OptionWords[]
  /** What its first argument can be; none: it has none. */
  readonly argument?: readonly string[]
  readonly variadic: boolean
}

/** The script that makes `shell` complete `program`. */
export function completionScript(shell: Shell, program: Command, vocabulary: Vocabulary): string {
  const commands = program.commands.map((command) => wordsOf(command, vocabulary))
  const lines = { bash, zsh, fish }[shell](program.name(), commands, vocabulary.config)
  return `${lines.join('\n')}\n`
}

function wordsOf(command: Command, { names, config }: Vocabulary): CommandWords {
  const valuesOf = (long: string): readonly string[] =>
    long === '--config' ? Object.keys(config).map((key) => `${key}=`) : (names[long] ?? [])
  const [argument] = command.registeredArguments
  return {
    name: command.name(),
    description: command.description(),
    options: command.options.map(({ long, description, required, optional }) => ({
      long: long ?? '',
      description,
      optional,
      ...(required || optional ? { value: valuesOf(long ?? '') } : {}),
    })),
    ...(argument === undefined ? {} : { argument: names[argument.name()] ?? [] }),
    variadic: argument?.variadic ?? false,
  }
}

/** The whole of bash's own work: words are split at `=`, and only what is behind the last one is replaced. */
function bash(name: string, commands: readonly CommandWords[], config: Vocabulary['config']): string[] {
  const cases = commands.flatMap((command) => [
    ...command.options
      .filter(({ value }) => value !== undefined && value.length > 0)
      .map(
        ({ long, value }) => `    ${quoted(`${command.name} ${long}`)}) words=${quoted(value!.join(' '))} ;;`,
      ),
    // Of others the shell completes paths.
    ...command.options
      .filter(({ value, optional }) => value?.length === 0 && !optional)
      .map(({ long }) => `    ${quoted(`${command.name} ${long}`)}) return ;;`),
    `    ${quoted(`${command.name} `)}*)`,
    `      words=${quoted((command.argument ?? []).join(' '))}`,
    `      [[ $cur == -* ]] && words=${quoted(command.options.map(({ long }) => long).join(' '))} ;;`,
  ])
  return [
    `# bash completion of ${name}: eval "$(${name} completion bash)"`,
    `_${name}() {`,
    '  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} words= list= key=',
    '  COMPREPLY=()',
    '  if ((COMP_CWORD == 1)); then',
    `    COMPREPLY=($(compgen -W ${quoted(commands.map((command) => command.name).join(' '))} -- "$cur"))`,
    '    return',
    '  fi',
    '  if [[ $cur == = ]]; then cur= key=$prev; elif [[ $prev == = ]]; then key=${COMP_WORDS[COMP_CWORD-2]}; fi',
    '  if [[ -n $key ]]; then case $key in',
    ...Object.entries(config).map(([key, values]) => `    ${key}) words=${quoted(values.join(' '))} ;;`),
    '    *) return ;;',
    '  esac; else case "$command $prev" in',
    ...cases,
    '  esac; fi',
    '  if [[ $cur == *,* ]]; then list=${cur%,*}, cur=${cur##*,}; fi',
    '  COMPREPLY=($(compgen -P "$list" -W "$words" -- "$cur"))',
    '  [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace',
    '}',
    `complete -o default -F _${name} ${name}`,
  ]
}

function zsh(name: string, commands: readonly CommandWords[], config: Vocabulary['config']): string[] {
  const values = (words: readonly string[]): string =>
    words.length === 0 ? '_files' : `{compadd -- ${words.join(' ')}; _files}`
  const option = ({ long, description, value, optional }: OptionWords): string => {
    const text = description.replaceAll(/[[\]\\:]/g, String.raw`\$&`)
    if (value === undefined) return `${long}[${text}]`
    const action =
      long === '--config' ? `_${name}_config` : value.length === 0 ? '_files' : `(${value.join(' ')})`
    return optional ? `${long}=-[${text}]::file:_files` : `*${long}[${text}]:value:${action}`
  }
  return [
    `#compdef ${name}`,
    `_${name}_config() {`,
    '  local key=${PREFIX%%=*}',
    '  if compset -P "*="; then',
    '    compset -P "*,"',
    '    case $key in',
    ...Object.entries(config)
      .filter(([, choices]) => choices.length > 0)
      .map(([key, choices]) => `      ${key}) compadd -- ${choices.join(' ')} ;;`),
    '    esac',
    '    _files',
    `  else compadd -S "" -- ${Object.keys(config)
      .map((key) => `${key}=`)
      .join(' ')}; fi`,
    '}',
    `_${name}() {`,
    '  local curcontext=$curcontext state line',
    '  local -a commands',
    '  commands=(',
    ...commands.map((command) => `    ${quoted(`${command.name}:${command.description}`)}`),
    '  )',
    "  _arguments -C '1:command:->command' '*::argument:->argument'",
    '  case $state in',
    `    command) _describe command commands ;;`,
    '    argument) case $words[1] in',
    ...commands.flatMap(({ name, options, argument, variadic }) => [
      `      ${name}) _arguments \\`,
      ...options.map((one) => `        ${quoted(option(one))} \\`),
      argument === undefined
        ? '         ;;'
        : `        ${quoted(`${variadic ? '*' : '1'}:argument:${values(argument)}`)} ;;`,
    ]),
    '    esac ;;',
    '  esac',
    '}',
    // Sourced, it is registered; found in $fpath, it is the function itself.
    `if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _${name} "$@"; else compdef _${name} ${name}; fi`,
  ]
}

function fish(name: string, commands: readonly CommandWords[], config: Vocabulary['config']): string[] {
  const quote = (text: string): string => `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`
  const settings = Object.entries(config).flatMap(([key, values]) =>
    values.length === 0 ? [`${key}=`] : values.map((value) => `${key}=${value}`),
  )
  return [
    `# fish completion of ${name}: ${name} completion fish | source`,
    `complete -c ${name} -n __fish_use_subcommand -f`,
    ...commands.flatMap((command) => {
      const within = `complete -c ${name} -n ${quote(`__fish_seen_subcommand_from ${command.name}`)}`
      return [
        `complete -c ${name} -n __fish_use_subcommand -a ${command.name} -d ${quote(command.description)}`,
        ...(command.argument === undefined || command.argument.length === 0
          ? []
          : [`${within} -a ${quote(command.argument.join(' '))}`]),
        ...command.options.map(({ long, description, value, optional }) => {
          const words = long === '--config' ? settings : (value ?? [])
          const takes = value === undefined || optional ? '' : ' -r'
          const list = words.length === 0 ? '' : ` -a ${quote(words.join(' '))}`
          return `${within} -l ${long.slice(2)} -d ${quote(description)}${takes}${list}`
        }),
      ]
    }),
  ]
}

/** A word for bash and zsh. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
