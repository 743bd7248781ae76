#!/usr/bin/env node
// Plain JavaScript, so that a Node too old to strip types can still say what it needs.
const [major, minor] = process.versions.node.split('.').map(Number)

if (major < 22 || (major === 22 && minor < 18)) {
  console.error(`Holdfast needs Node 22.18 or newer; this is Node ${process.versions.node}.`)
  process.exit(1)
}

// Compiled code is kept between runs: it halves the time until a command begins.
const { enableCompileCache } = await import('node:module')
enableCompileCache()

const { main } = await import('./main.ts')
const { processWorld } = await import('./terminal/process-world.ts')
process.exitCode = await main(processWorld())
