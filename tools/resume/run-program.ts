/** A real program on a machine of its own: home, project and sessions in one folder, nothing of the network but the provider. */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { ProgramName } from './programs.ts'

export interface Desk {
  folder: string
  /** Of the provider. */
  origin: string
}

export interface Said {
  status: number | null
  out: string
  err: string
}

const hangsAfterMs = 120_000

/** Where a file of the session must lie for its program to find it. */
export function placeOf(name: ProgramName, folder: string, sessionId: string): string {
  return name === 'claude-code'
    ? join(folder, 'claude/projects', projectOf(folder).replace(/[^a-zA-Z0-9]/g, '-'), `${sessionId}.jsonl`)
    : join(folder, 'codex/sessions/2026/02/03', `rollout-2026-02-03T04-05-06-${sessionId}.jsonl`)
}

export function projectOf(folder: string): string {
  return join(folder, 'project')
}

/** Puts the file in its place. */
export function put(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}

/** The program goes on with a session and is asked something. */
export async function resume(
  program: string,
  name: ProgramName,
  { folder, origin }: Desk,
  sessionId: string,
  question: string,
): Promise<Said> {
  mkdirSync(projectOf(folder), { recursive: true })
  if (name === 'claude-code')
    return run(program, ['-p', '--resume', sessionId, question], folder, {
      CLAUDE_CONFIG_DIR: join(folder, 'claude'),
      ANTHROPIC_BASE_URL: origin,
      ANTHROPIC_API_KEY: 'scripted',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      DISABLE_AUTOUPDATER: '1',
    })
  const home = join(folder, 'codex')
  const file = readFileSync(placeOf(name, folder, sessionId), 'utf8')
  put(join(home, 'config.toml'), codexConfig(origin, file.includes('"model_provider":"openai"')))
  return run(program, ['exec', '--skip-git-repo-check', 'resume', sessionId, question], folder, {
    CODEX_HOME: home,
    SCRIPTED_KEY: 'scripted',
    CODEX_API_KEY: 'scripted',
  })
}

/** Codex goes on only with the provider that the file names; under `openai` it first tries, for seconds, to get a socket. */
function codexConfig(origin: string, isNamed: boolean): string {
  const provider = `[model_providers.scripted]
name = "scripted"
base_url = "${origin}/v1"
wire_api = "responses"
env_key = "SCRIPTED_KEY"
`
  const choice = isNamed ? `openai_base_url = "${origin}/v1"` : 'model_provider = "scripted"'
  return `model = "gpt-5.3-codex"\n${choice}\n${provider}`
}

async function run(
  program: string,
  args: readonly string[],
  folder: string,
  env: Record<string, string>,
): Promise<Said> {
  const child = spawn(program, args, {
    cwd: projectOf(folder),
    env: {
      PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
      HOME: folder,
      HTTPS_PROXY: 'http://127.0.0.1:9',
      NO_PROXY: '127.0.0.1',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: hangsAfterMs,
  })
  const status = new Promise<number | null>((resolve, reject) => {
    child.on('close', resolve).on('error', reject)
  })
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { status: await status, out, err }
}
