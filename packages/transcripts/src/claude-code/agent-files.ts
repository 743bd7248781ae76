/**
 * The files of sub-agents: in a folder of the session that they worked for or deeper in it, beside each a file that tells
 * who it is; or, of earlier versions of the program, beside the file of the session: then the first line names the session.
 */
import {
  closeSync,
  type Dirent,
  existsSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { shapeOf } from '../shape.ts'

/** By their ids. Of two in different folders below the session the second has its folder's name before it. */
export function agentsOf(path: string): ReadonlyMap<string, string> {
  const agents = new Map<string, string>()
  const folder = join(path.replace(/\.jsonl$/, ''), 'subagents')
  for (const file of agentsBelow(folder)) {
    const id = agentIdIn(file)
    agents.set(agents.has(id) ? `${dirname(relative(folder, file))}/${id}` : id, file)
  }
  for (const file of agentsBeside(dirname(path)).get(basename(path, '.jsonl')) ?? [])
    if (!agents.has(agentIdIn(file))) agents.set(agentIdIn(file), file)
  return agents
}

export function agentFilesOf(path: string): string[] {
  return [...agentsOf(path).values()]
}

/** The session that a file belongs to: a sub-agent's, what tells of one, or a result that was too long for the session's own. */
export function ownerOf(path: string): string | undefined {
  const [, session] =
    /^(.*)\/(?:subagents\/(?:.*\/)?agent-[^/]+\.(?:jsonl|meta\.json)|tool-results\/[^/]+)$/.exec(path) ?? []
  if (session !== undefined) return `${session}.jsonl`
  const name = /\/agent-[^/]+\.jsonl$/.test(path) ? ownerNamedIn(path) : undefined
  return name && join(dirname(path), `${name}.jsonl`)
}

function agentIdIn(path: string): string {
  return basename(path).slice('agent-'.length, -'.jsonl'.length)
}

/** Those in the folder itself first. */
function agentsBelow(folder: string): string[] {
  const depth = (file: string) => file.split('/').length
  const deep = entriesIn(folder).filter((entry) => entry.isDirectory())
  const files = [...agentsIn(folder), ...deep.flatMap(({ name }) => agentsBelow(join(folder, name)))]
  return files.sort((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1))
}

function agentsIn(folder: string): string[] {
  return entriesIn(folder)
    .filter(({ name }) => name.startsWith('agent-') && name.endsWith('.jsonl'))
    .map((entry) => ({ path: join(folder, entry.name), isLink: entry.isSymbolicLink() }))
    .filter(({ path, isLink }) => isFile(path) && !(isLink && leadsToAnother(path)))
    .map(({ path }) => path)
    .sort()
}

/** A fork of a session has links to the agents that are at work in it: they are told of, and paid for, there. */
function leadsToAnother(link: string): boolean {
  const owner = ownerOf(realpathSync(link))
  return owner !== undefined && owner !== ownerOf(link) && existsSync(owner)
}

/** A folder that may not be read has none here: whoever looks through all folders tells of it. */
function entriesIn(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    return orRaise(error, [])
  }
}

/** Also not a link that leads nowhere, nor a pipe: to open one may never end. */
function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile()
}

interface Listing {
  changedMs: number
  /** The folder had not changed for a while when this was made. */
  isSettled: boolean
  /** When it was made, of `performance.now()`. */
  madeMs: number
  /** By the name of the session. */
  named: Map<string, string[]>
  /** Those whose first line names none yet. */
  unnamed: string[]
}

/** A folder has many sessions, each of which asks. */
const listings = new Map<string, Listing>()
const mostListings = 100

/** A folder may change again within the time that the clock of its files tells apart. */
const settledMs = 2_000

/** What came later than this is found the next time. */
const freshMs = 100

function agentsBeside(folder: string): Listing['named'] {
  const { mtimeMs: changedMs } = statSync(folder)
  const known = listings.get(folder)
  const listing = known && isStill(known, changedMs) ? known : listed(folder, changedMs)
  lookForNames(listing)
  listings.set(folder, listing)
  for (const oldest of listings.keys()) if (listings.size > mostListings) listings.delete(oldest)
  return listing.named
}

function isStill({ changedMs, isSettled, madeMs }: Listing, nowChangedMs: number): boolean {
  return changedMs === nowChangedMs && (isSettled || performance.now() - madeMs < freshMs)
}

function listed(folder: string, changedMs: number): Listing {
  listings.delete(folder)
  const isSettled = Date.now() - changedMs > settledMs
  return { changedMs, isSettled, madeMs: performance.now(), named: new Map(), unnamed: agentsIn(folder) }
}

function lookForNames(listing: Listing): void {
  const { named, unnamed } = listing
  listing.unnamed = []
  for (const path of unnamed) {
    const owner = ownerNamedIn(path)
    if (owner === undefined) listing.unnamed.push(path)
    else named.set(owner, [...(named.get(owner) ?? []), path])
  }
}

/** As much of a first line as names a session. */
const headBytes = 64 * 1024

/** Undefined: it names none, or is not written yet, or may not be read. */
function ownerNamedIn(path: string): string | undefined {
  const head = headIn(path)
  const name = head && shapeOf(head).get('sessionId')
  return name !== undefined && /^[\w-]+$/.test(name) ? name : undefined
}

function headIn(path: string): string | undefined {
  try {
    if (!isFile(path)) return undefined
    const file = openSync(path, 'r')
    try {
      const bytes = Buffer.allocUnsafe(headBytes)
      return bytes.toString('utf8', 0, readSync(file, bytes, 0, headBytes, 0))
    } finally {
      closeSync(file)
    }
  } catch (error) {
    // Whoever reads the file itself tells of it.
    return orRaise(error, undefined)
  }
}

/** `instead` of what the system refused. */
function orRaise<T>(error: unknown, instead: T): T {
  if ((error as NodeJS.ErrnoException).code === undefined) throw error
  return instead
}
