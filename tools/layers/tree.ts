/** The sources and manifests of a checkout, read once; every rule looks at this and at nothing else. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join, posix, sep } from 'node:path'
import { type ParseResult, parseSync, Visitor } from 'oxc-parser'
import { ownerOf } from './arrows.ts'

export type Import = { readonly specifier: string; readonly line: number }

export type Source = {
  readonly path: string
  readonly program: ParseResult['program']
  readonly imports: readonly Import[]
  lineAt(offset: number): number
}

export type Manifest = {
  readonly name?: string
  readonly exports?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

export type Tree = {
  readonly sources: ReadonlyMap<string, Source>
  /** By package folder; '' is the root. */
  readonly manifests: ReadonlyMap<string, Manifest>
}

export type Violation = {
  readonly path: string
  readonly line: number
  readonly rule: string
  readonly message: string
}

const scanned = ['packages/*/{src,test}/**/*.ts', '{bench,prove,tools}/**/*.ts']

export function readTree(root: string): Tree {
  const paths = globSync(scanned, { cwd: root }).map((path) => path.split(sep).join('/'))
  const sources = paths.sort().map((path) => readSource(path, readFileSync(join(root, path), 'utf8')))
  const folders = ['', ...globSync('packages/*', { cwd: root }).map((path) => path.split(sep).join('/'))]
  return {
    sources: new Map(sources.map((source) => [source.path, source])),
    manifests: new Map(folders.map((folder) => [folder, readManifest(join(root, folder, 'package.json'))])),
  }
}

function readManifest(path: string): Manifest {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Manifest) : {}
}

function readSource(path: string, text: string): Source {
  const { program, errors } = parseSync(path, text)
  if (errors[0]) throw new Error(`${path}: ${errors[0].message}`)
  const lineAt = (offset: number) => text.slice(0, offset).split('\n').length
  const imports: Import[] = []
  const add = (source: { value?: unknown; start: number } | null) => {
    if (typeof source?.value === 'string')
      imports.push({ specifier: source.value, line: lineAt(source.start) })
  }
  new Visitor({
    ImportDeclaration: (node) => add(node.source),
    ExportNamedDeclaration: (node) => add(node.source),
    ExportAllDeclaration: (node) => add(node.source),
    ImportExpression: (node) => add(node.source as { start: number }),
    TSImportType: (node) => add(node.source),
  }).visit(program)
  return { path, program, imports, lineAt }
}

/** The path an import leads to: a file of ours, by relative path or by package name; undefined if foreign. */
export function resolveImport(tree: Tree, from: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(from), specifier)
  for (const [folder, { name, exports }] of tree.manifests) {
    if (!folder || !name || packageName(specifier) !== name) continue
    const entry = exports?.[`.${specifier.slice(name.length)}`]
    return posix.join(folder, entry ?? 'package.json')
  }
  return undefined
}

export function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

export function manifestOf(tree: Tree, path: string): Manifest {
  return tree.manifests.get(ownerOf(path)) ?? {}
}
