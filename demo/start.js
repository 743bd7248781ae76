// Plain JavaScript, so that a Node too old to strip types can still say what it needs.
const [major, minor] = process.versions.node.split('.').map(Number)

if (major < 22 || (major === 22 && minor < 18)) {
  console.error(`Holdfast needs Node 22.18 or newer; this is Node ${process.versions.node}.`)
  process.exit(1)
}

await import('./start.ts')
