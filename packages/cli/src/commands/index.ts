/** All commands. A command's own file is loaded only when it is asked for, so this table is all that `--help` costs. */
import type { CliCommand } from '../command.ts'

interface Entry {
  /** As commander reads them: `<required>`, `[optional]`, `<several...>`. */
  args: string
  about: string
  group: string
  load(): Promise<CliCommand>
}

const reading = 'Read:'
const working = 'Work with sessions:'
const serving = 'Serve:'
const keeping = 'Look after the store:'

export const commands: Readonly<Record<string, Entry>> = {
  import: {
    args: '<paths...>',
    about: 'bring in transcripts: files or folders of Claude Code, Codex and others',
    group: reading,
    load: async () => (await import('./import.ts')).importCommand,
  },
  sessions: {
    args: '',
    about: 'list sessions, newest activity first',
    group: reading,
    load: async () => (await import('./sessions.ts')).sessionsCommand,
  },
  show: {
    args: '<id>',
    about: 'read a session as a transcript',
    group: reading,
    load: async () => (await import('./show.ts')).showCommand,
  },
  search: {
    args: '<words...>',
    about: 'find words in all sessions',
    group: reading,
    load: async () => (await import('./search.ts')).searchCommand,
  },
  usage: {
    args: '',
    about: 'what it all cost: by day, model, agent, user or tree',
    group: reading,
    load: async () => (await import('./usage.ts')).usageCommand,
  },
  follow: {
    args: '<id>',
    about: 'watch a session as it is written',
    group: reading,
    load: async () => (await import('./follow.ts')).followCommand,
  },
  chat: {
    args: '[id]',
    about: 'talk with an agent in a new session, or go on in one',
    group: working,
    load: async () => (await import('./chat.ts')).chatCommand,
  },
  export: {
    args: '<ids...>',
    about: 'write sessions in another format',
    group: working,
    load: async () => (await import('./export.ts')).exportCommand,
  },
  fork: {
    args: '<id>',
    about: 'continue a session another way, from any point; nothing is copied',
    group: working,
    load: async () => (await import('./fork.ts')).forkCommand,
  },
  diff: {
    args: '<ours> <theirs>',
    about: 'compare two branches: text, tool calls, tokens, cost',
    group: working,
    load: async () => (await import('./diff.ts')).diffCommand,
  },
  close: {
    args: '<id>',
    about: 'end a session: it can be read and forked, not written',
    group: working,
    load: async () => (await import('./close.ts')).closeCommand,
  },
  delete: {
    args: '<ids...>',
    about: 'delete sessions with their children',
    group: working,
    load: async () => (await import('./delete.ts')).deleteCommand,
  },
  serve: {
    args: '',
    about: 'give programs the store over HTTP',
    group: serving,
    load: async () => (await import('./serve.ts')).serveCommand,
  },
  keys: {
    args: '<action> [id]',
    about: 'create, list and revoke the keys that a server asks for',
    group: serving,
    load: async () => (await import('./keys.ts')).keysCommand,
  },
  prune: {
    args: '',
    about: 'delete by age or number',
    group: keeping,
    load: async () => (await import('./prune.ts')).pruneCommand,
  },
  erase: {
    args: '[id]',
    about: 'forget a user everywhere, or the content of events, for good',
    group: keeping,
    load: async () => (await import('./erase.ts')).eraseCommand,
  },
  backup: {
    args: '<file>',
    about: 'copy the store while it is in use',
    group: keeping,
    load: async () => (await import('./backup.ts')).backupCommand,
  },
  copy: {
    args: '',
    about: 'copy a store into another, file or Postgres, while both are in use',
    group: keeping,
    load: async () => (await import('./copy.ts')).copyCommand,
  },
  doctor: {
    args: '[id]',
    about: 'look for damage in the store, a session or a transcript file',
    group: keeping,
    load: async () => (await import('./doctor.ts')).doctorCommand,
  },
  repair: {
    args: '[id]',
    about: 'put right what doctor finds',
    group: keeping,
    load: async () => (await import('./repair.ts')).repairCommand,
  },
  migrate: {
    args: '',
    about: 'bring the store to the newest schema, after a copy',
    group: keeping,
    load: async () => (await import('./migrate.ts')).migrateCommand,
  },
  completion: {
    args: '<shell>',
    about: 'print the completion script for bash, zsh or fish',
    group: keeping,
    load: async () => (await import('./completion.ts')).completionCommand,
  },
}
