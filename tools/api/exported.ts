/** What a declaration file exports: every name with its declaration as emitted, re-exports followed. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseSync } from 'oxc-parser'

type Module = ReturnType<typeof parseSync>['program']
type Statement = Module['body'][number]
type Names = Map<string, string>

/** A schema's inferred type can run to pages; its wire form is pinned by the JSON Schema files instead. */
const longestConst = 200

/** `read` remembers the files that were read: most are reached by many ways. */
export function exportedNames(file: string, read = new Map<string, Names>()): Names {
  const known = read.get(file)
  if (known) return known
  const text = readFileSync(file, 'utf8')
  const { body } = parseSync(file, text).program
  const local = localNames(body, text, file, read)
  const found: Names = new Map()
  for (const statement of body)
    for (const [name, words] of exportsOf(statement, text, { file, local, read })) found.set(name, words)
  read.set(file, found)
  return found
}

interface Place {
  file: string
  local: Names
  read: Map<string, Names>
}

function exportsOf(statement: Statement, text: string, { file, local, read }: Place): [string, string][] {
  if (statement.type === 'ExportAllDeclaration') {
    const { source, exported } = statement
    if (exported) return [[nameOf(exported), `export * as ${nameOf(exported)} from '${source.value}'`]]
    return [...namesFrom(file, source.value, read)]
  }
  if (statement.type === 'ExportDefaultDeclaration') return [['default', textOf(statement, text)]]
  if (statement.type !== 'ExportNamedDeclaration') return []
  if (statement.declaration) {
    return declaredBy(statement.declaration).map((name) => [name, local.get(name) ?? ''])
  }
  const names = statement.source ? namesFrom(file, statement.source.value, read) : local
  return statement.specifiers.map((one) => {
    const [name, from] = [nameOf(one.exported), nameOf(one.local)]
    const words = names.get(from) ?? `${from} from '${statement.source?.value}'`
    return [name, name === from ? words : `${name} = ${words}`]
  })
}

/** A package's names stay its own: they are not copied into the snapshot of another. */
function namesFrom(file: string, specifier: string, read: Map<string, Names>): Names {
  const path = join(dirname(file), specifier.replace(/\.[jt]s$/, '.d.ts'))
  if (specifier.startsWith('.') && existsSync(path)) return exportedNames(path, read)
  return new Map([[`* from '${specifier}'`, `export * from '${specifier}'`]])
}

/** Every name a file declares or imports; overloads are joined. */
function localNames(body: readonly Statement[], text: string, file: string, read: Map<string, Names>): Names {
  const names: Names = new Map()
  const add = (name: string, words: string) =>
    names.set(name, [names.get(name), words].filter(Boolean).join('\n'))
  for (const statement of body) {
    if (statement.type === 'ImportDeclaration') {
      for (const one of statement.specifiers) {
        const name = one.type === 'ImportSpecifier' ? nameOf(one.imported) : '*'
        add(
          one.local.name,
          namesFrom(file, statement.source.value, read).get(name) ?? textOf(statement, text),
        )
      }
    } else {
      const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement
      for (const name of declaration ? declaredBy(declaration) : [])
        add(name, textOf(declaration as Statement, text))
    }
  }
  return names
}

function declaredBy(node: object): string[] {
  if ('declarations' in node) return (node.declarations as { id: object }[]).map(({ id }) => nameOf(id))
  return 'id' in node && node.id ? [nameOf(node.id)] : []
}

function nameOf(node: object): string {
  return String('name' in node ? node.name : (node as { value: unknown }).value)
}

function textOf(node: Statement, text: string): string {
  const words = text.slice(node.start, node.end).replace(/^declare /, '')
  const long = words.startsWith('const ') && words.length > longestConst
  return long ? `${words.slice(0, words.indexOf(':'))}: …` : words
}
