/**
 * Who may import whom. A file belongs to the row with the longest matching folder; it may import files of
 * its own row and of the rows named, and Node's modules unless the row is pure. No row, no place.
 */
export type Layer = {
  readonly name: string
  readonly folder: string
  readonly imports: readonly string[]
  readonly pure?: true
}

const core = 'packages/core/src'
const stores = ['memory', 'sqlite', 'postgres'].map((name) => `store/${name}`)
const coreLayers = ['core', 'session', 'context', 'ledger', 'log', 'store', ...stores]
const publicLayers = ['protocol', 'core', ...stores, 'transcripts']

export const layers: readonly Layer[] = [
  { name: 'protocol', folder: 'packages/protocol', imports: [], pure: true },
  { name: 'session', folder: `${core}/session`, imports: ['protocol'], pure: true },
  { name: 'context', folder: `${core}/context`, imports: ['protocol', 'session'], pure: true },
  { name: 'ledger', folder: `${core}/ledger`, imports: ['protocol', 'session'], pure: true },
  { name: 'store', folder: `${core}/store`, imports: ['protocol'] },
  ...stores.map((name) => ({ name, folder: `${core}/${name}`, imports: ['protocol', 'store'] })),
  { name: 'store/conformance', folder: `${core}/store/conformance`, imports: ['protocol', 'store'] },
  { name: 'log', folder: `${core}/log`, imports: ['protocol', 'session', 'store', 'context', 'ledger'] },
  { name: 'core', folder: 'packages/core', imports: ['protocol', ...coreLayers] },
  { name: 'cli', folder: 'packages/cli', imports: [...publicLayers, 'agent', 'server', 'client'] },
  { name: 'transcripts', folder: 'packages/transcripts', imports: ['protocol', 'core'] },
  { name: 'agent', folder: 'packages/agent', imports: ['protocol', 'core'] },
  { name: 'server', folder: 'packages/server', imports: publicLayers },
  { name: 'client', folder: 'packages/client', imports: ['protocol'], pure: true },
  {
    name: 'bench',
    folder: 'bench',
    imports: [...publicLayers, 'agent', 'server', 'client', 'tools/postgres'],
  },
  {
    name: 'prove',
    folder: 'prove',
    imports: [...publicLayers, 'agent', 'server', 'client', 'tools/postgres'],
  },
  { name: 'tools', folder: 'tools', imports: [...publicLayers, 'tools/resume'] },
  { name: 'tools/resume', folder: 'tools/resume', imports: [...publicLayers, 'agent'] },
  { name: 'tools/postgres', folder: 'tools/postgres', imports: [] },
]

/** Which package may see which, tests included; the root (bench, prove, tools) may see all. */
export const packageArrows: Readonly<Record<string, readonly string[]>> = {
  'packages/protocol': [],
  'packages/core': ['packages/protocol'],
  'packages/cli': [
    'packages/protocol',
    'packages/core',
    'packages/agent',
    'packages/transcripts',
    'packages/server',
    'packages/client',
  ],
  'packages/transcripts': ['packages/protocol', 'packages/core'],
  'packages/agent': ['packages/protocol', 'packages/core'],
  // The client and the agents are tested against the server, and used nowhere else in it.
  'packages/server': [
    'packages/protocol',
    'packages/core',
    'packages/transcripts',
    'packages/client',
    'packages/agent',
  ],
  'packages/client': ['packages/protocol'],
}

export function layerOf(path: string): Layer | undefined {
  const holding = layers.filter((layer) => path.startsWith(`${layer.folder}/`))
  return holding.sort((a, b) => b.folder.length - a.folder.length)[0]
}

/** A folder called `testing` is for tests of its own package; this one is given to others. */
const publicKit = 'packages/agent/src/testing/'

export function isTest(path: string): boolean {
  if (path.startsWith(publicKit)) return path.endsWith('.test.ts')
  return path.endsWith('.test.ts') || /^packages\/[^/]+\/(test|src\/.*testing)\//.test(path)
}

/** The package folder that owns a path; '' is the root. */
export function ownerOf(path: string): string {
  return /^packages\/[^/]+/.exec(path)?.[0] ?? ''
}
