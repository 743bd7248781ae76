/** The rules about one import at a time: arrows, purity, package walls, declared dependencies. */
import { isBuiltin } from 'node:module'
import { isTest, layerOf, ownerOf, packageArrows } from './arrows.ts'
import { type Manifest, manifestOf, packageName, resolveImport, type Tree, type Violation } from './tree.ts'

type Edge = { readonly from: string; readonly specifier: string; readonly target: string | undefined }
type Rule = { readonly name: string; broken(tree: Tree, edge: Edge): string | undefined }

const rules: readonly Rule[] = [
  { name: 'layer', broken: wrongLayer },
  { name: 'package-arrow', broken: wrongPackage },
  { name: 'package-by-name', broken: pathOutOfPackage },
  { name: 'pure', broken: builtinInPureLayer },
  { name: 'declared', broken: undeclared },
]

export function checkImports(tree: Tree): Violation[] {
  return [...tree.sources.values()].flatMap((source) =>
    source.imports.flatMap(({ specifier, line }) => {
      const target = resolveImport(tree, source.path, specifier)
      const edge = { from: source.path, specifier, target }
      return rules.flatMap(({ name, broken }) => {
        const message = broken(tree, edge)
        return message ? [{ path: source.path, line, rule: name, message }] : []
      })
    }),
  )
}

export function checkPlaces(tree: Tree): Violation[] {
  const homeless = [...tree.sources.keys()].filter((path) => !layerOf(path))
  return homeless.map((path) => {
    return {
      path,
      line: 1,
      rule: 'place',
      message: 'no layer holds this file; add a row to layers/arrows.ts',
    }
  })
}

function wrongLayer(_tree: Tree, { from, specifier, target }: Edge): string | undefined {
  const here = layerOf(from)
  const there = target && layerOf(target)
  if (!here || !there || here === there || isTest(from)) return undefined
  if (here.imports.includes(there.name)) return undefined
  return `${here.name} must not import ${there.name} (${specifier})`
}

function wrongPackage(_tree: Tree, { from, target }: Edge): string | undefined {
  const here = ownerOf(from)
  const there = target === undefined ? here : ownerOf(target)
  if (here === '' || here === there || packageArrows[here]?.includes(there)) return undefined
  return `${here} must not see ${there || 'the root'}`
}

/** Tools may reach in: generators read what a package does not export. */
function pathOutOfPackage(_tree: Tree, { from, specifier, target }: Edge): string | undefined {
  if (!specifier.startsWith('.') || target === undefined || layerOf(from)?.name === 'tools') return undefined
  if (ownerOf(from) === ownerOf(target)) return undefined
  return `import the package by its name, not ${specifier}`
}

function builtinInPureLayer(_tree: Tree, { from, specifier }: Edge): string | undefined {
  if (isTest(from) || !layerOf(from)?.pure || !isBuiltin(specifier)) return undefined
  return `${layerOf(from)?.name} is pure and must not import ${specifier}`
}

function undeclared(tree: Tree, { from, specifier }: Edge): string | undefined {
  if (specifier.startsWith('.') || isBuiltin(specifier)) return undefined
  const name = packageName(specifier)
  const own = manifestOf(tree, from)
  if (declares(own, name, from) || (isTest(from) && tests(tree, own, name))) return undefined
  return `${name} is not a dependency of ${ownerOf(from) || 'the root'}`
}

function declares(manifest: Manifest, name: string, from: string): boolean {
  const { dependencies, peerDependencies, devDependencies } = manifest
  const dev = ownerOf(from) === '' || isTest(from) ? devDependencies : {}
  return name in { ...dependencies, ...peerDependencies, ...dev }
}

function tests(tree: Tree, own: Manifest, name: string): boolean {
  return name === own.name || name in (tree.manifests.get('')?.devDependencies ?? {})
}
