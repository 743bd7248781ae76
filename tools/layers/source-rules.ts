/** The rules about what a source may say: no hidden clock or chance, no swallowed error, no assembled or undistributed SQL. */
import { type Program, type TemplateLiteral, Visitor } from 'oxc-parser'
import { isTest } from './arrows.ts'
import { isStatementOnRows, troublesOf } from './distributed-sql.ts'
import type { Source, Tree, Violation } from './tree.ts'

/** Files that may break a rule, each with its reason. */
export const allowed: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'clock-and-chance': {
    'packages/core/src/store/clock.ts': 'the one place that reads the clock',
    'packages/core/src/log/random.ts': 'the one place that draws chance',
    'packages/protocol/src/ids.ts': 'the one place that makes ids',
    'packages/agent/src/clock.ts': 'the one place of the agent that reads the clock',
    'packages/agent/src/random.ts': 'the one place of the agent that draws chance',
  },
  'constant-sql': {},
}

type Report = (offset: number, message: string) => void
type Rule = {
  readonly name: string
  readonly folders: readonly string[]
  watch(report: Report): Visitor
}

const rules: readonly Rule[] = [
  {
    name: 'clock-and-chance',
    folders: ['packages/core/src/', 'packages/protocol/src/', 'packages/agent/src/'],
    watch: clockAndChance,
  },
  { name: 'empty-catch', folders: [''], watch: emptyCatch },
  { name: 'constant-sql', folders: ['packages/core/src/store/'], watch: assembledSql },
  { name: 'distributed-sql', folders: ['packages/core/src/store/postgres/'], watch: undistributedSql },
]

export function checkSources(tree: Tree): Violation[] {
  return [...tree.sources.values()].flatMap((source) =>
    rules.filter((rule) => applies(rule, source.path)).flatMap((rule) => run(rule, source)),
  )
}

function applies({ name, folders }: Rule, path: string): boolean {
  if (name !== 'empty-catch' && isTest(path)) return false
  return folders.some((folder) => path.startsWith(folder)) && allowed[name]?.[path] === undefined
}

function run(rule: Rule, source: Source): Violation[] {
  const found: Violation[] = []
  const report: Report = (offset, message) =>
    found.push({ path: source.path, line: source.lineAt(offset), rule: rule.name, message })
  rule.watch(report).visit(source.program)
  return found
}

const hidden = new Set(['Date.now', 'Math.random', 'crypto.randomUUID', 'crypto.getRandomValues'])

function clockAndChance(report: Report): Visitor {
  return new Visitor({
    MemberExpression(node) {
      const name = `${nameOf(node.object)}.${nameOf(node.property)}`
      if (hidden.has(name)) report(node.start, `${name} is hidden input; take it as an argument`)
    },
    NewExpression(node) {
      if (nameOf(node.callee) === 'Date' && node.arguments.length === 0)
        report(node.start, 'new Date() is hidden input; take the time as an argument')
    },
    ImportSpecifier(node) {
      const name = `crypto.${nameOf(node.imported)}`
      if (hidden.has(name)) report(node.start, `${name} is hidden input; take it as an argument`)
    },
  })
}

/** `Date`, and `Date` in `globalThis.Date`. */
function nameOf(node: object): string {
  if ('name' in node) return String(node.name)
  return 'property' in node ? nameOf(node.property as object) : ''
}

function emptyCatch(report: Report): Visitor {
  return new Visitor({
    CatchClause(node) {
      if (node.body.body.length === 0) report(node.start, 'an empty catch swallows the error')
    },
  })
}

const constantSql = 'SQL texts are constants of their module; bind the values instead'

/** A text may be put together from other constants: what is bound at run time is never part of it. */
function assembledSql(report: Report): Visitor {
  let constants: ReadonlySet<string> = new Set()
  const isAssembled = ({ expressions }: TemplateLiteral) =>
    !expressions.every((part) => part.type === 'Identifier' && constants.has(part.name))
  return new Visitor({
    Program(node) {
      constants = constantsOf(node)
    },
    CallExpression(node) {
      if (node.callee.type !== 'MemberExpression') return
      if (!['prepare', 'exec'].includes(nameOf(node.callee.property))) return
      const [text] = node.arguments
      if (text?.type === 'TemplateLiteral' && isAssembled(text) && !isStatement(text))
        report(text.start, constantSql)
    },
    TemplateLiteral(node) {
      if (isAssembled(node) && isStatement(node)) report(node.start, constantSql)
    },
  })
}

/** What a module declares once for all, and what it imports. */
function constantsOf({ body }: Program): Set<string> {
  return new Set(
    body.flatMap((node) => {
      const declared = node.type === 'ExportNamedDeclaration' ? node.declaration : node
      if (declared?.type === 'ImportDeclaration') return declared.specifiers.map(({ local }) => local.name)
      if (declared?.type !== 'VariableDeclaration' || declared.kind !== 'const') return []
      return declared.declarations.flatMap(({ id }) => (id.type === 'Identifier' ? [id.name] : []))
    }),
  )
}

function isStatement({ quasis }: TemplateLiteral): boolean {
  return isStatementOnRows(quasis[0]?.value.raw ?? '')
}

function undistributedSql(report: Report): Visitor {
  const look = (offset: number, text: string) => {
    for (const trouble of troublesOf(text)) report(offset, trouble)
  }
  return new Visitor({
    Literal(node) {
      if (typeof node.value === 'string') look(node.start, node.value)
    },
    TemplateLiteral(node) {
      look(node.start, node.quasis.map(({ value }) => value.raw).join('?'))
    },
  })
}
