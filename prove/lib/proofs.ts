/** Every proof, with the run that takes seconds and the planted bugs that it must catch: what `npm run prove` does. */

export interface Proof {
  /** Of its program, `prove/<name>.ts`. */
  name: string
  shows: string
  args: readonly string[]
  planted: readonly Planted[]
}

export interface Planted {
  bug: string
  args: readonly string[]
}

export const proofs: readonly Proof[] = [
  {
    name: 'kill',
    shows: 'a process killed at any moment loses, doubles or reorders nothing that it acknowledged',
    args: ['--cycles', '100'],
    planted: [{ bug: 'acks before the commit', args: ['--cycles', '8', '--planted'] }],
  },
  {
    name: 'power',
    shows: 'a power cut at any moment loses nothing that was acknowledged',
    args: ['--images', '20000'],
    planted: [
      { bug: 'commits are not synced', args: ['--images', '30', '--durability', 'normal'] },
      { bug: 'nothing is ever synced', args: ['--images', '30', '--durability', 'off'] },
    ],
  },
  {
    name: 'postgres',
    shows:
      'a Postgres that crashes at any moment under load loses, doubles or reorders nothing that was acknowledged',
    args: ['--stops', '50'],
    planted: [
      { bug: 'a broken connection is taken for a commit', args: ['--stops', '3', '--planted'] },
      { bug: 'no commit is synced in time', args: ['--stops', '3', '--sync', 'never'] },
    ],
  },
  {
    name: 'failover',
    shows:
      'a primary whose machine dies under load loses nothing acknowledged when a synchronous standby takes its place',
    args: ['--runs', '5'],
    planted: [
      { bug: 'no commit waits for a standby', args: ['--runs', '5', '--planted', 'asynchronous'] },
      { bug: 'the standby that has least is promoted', args: ['--runs', '5', '--planted', 'least'] },
    ],
  },
  {
    name: 'io',
    shows: 'a disk that fails at any moment is told truly, and the file goes on',
    args: ['--every', '300'],
    planted: [
      {
        bug: 'a failing commit is taken for one that was not written',
        args: ['--every', '4', '--planted'],
      },
    ],
  },
  {
    name: 'flip',
    shows: 'a flipped bit in any file is harmless or found out',
    args: ['--flips', '500'],
    planted: [{ bug: 'checksums of events are not looked at', args: ['--flips', '60', '--planted'] }],
  },
  {
    name: 'erase',
    shows: 'what was erased, pruned or deleted is in no file and no answer any more',
    args: ['--rounds', '12'],
    planted: [{ bug: 'no scrub, or files are kept', args: ['--rounds', '2', '--planted'] }],
  },
  {
    name: 'ledger',
    shows: 'after every step the totals of the ledger are the sum of its rows, and the known bill',
    args: ['--attempts', '2000'],
    planted: [{ bug: 'billed again after a crash', args: ['--attempts', '1000', '--planted'] }],
  },
  {
    name: 'zombie',
    shows: 'a worker that wakes after its lease was taken is refused in everything',
    args: ['--rounds', '200'],
    planted: [{ bug: 'a store without a fence', args: ['--rounds', '12', '--planted'] }],
  },
  {
    name: 'linear',
    shows: 'all that many clients were answered has one order that explains it',
    args: ['--histories', '2000', '--ops', '200'],
    planted: [
      { bug: 'lost update', args: ['--histories', '30', '--planted', 'lost-update'] },
      { bug: 'stale epoch accepted', args: ['--histories', '30', '--planted', 'stale-epoch'] },
      { bug: 'key answered for another body', args: ['--histories', '30', '--planted', 'other-body'] },
      { bug: 'stale read', args: ['--histories', '30', '--planted', 'stale-read'] },
    ],
  },
  {
    name: 'pairs',
    shows: 'after anything, what a provider is sent is what that provider takes',
    args: ['--logs', '50000'],
    planted: [
      { bug: 'a result left out', args: ['--logs', '100', '--planted', 'dropped'] },
      { bug: 'a call left open', args: ['--logs', '100', '--planted', 'open'] },
      { bug: 'a result told twice', args: ['--logs', '100', '--planted', 'doubled'] },
    ],
  },
  {
    name: 'http',
    shows: 'a server killed under load keeps what it answered with success, and retries double nothing',
    args: ['--cycles', '100'],
    planted: [{ bug: 'each try has its own key', args: ['--cycles', '10', '--planted'] }],
  },
  {
    name: 'cuts',
    shows: 'a stream cut off after any byte, also by a restart, loses and repeats nothing',
    args: ['--cuts', '2000'],
    planted: [{ bug: 'half a frame is taken for seen', args: ['--cuts', '200', '--planted'] }],
  },
  {
    name: 'storm',
    shows: 'a change sent many times at once under one key, over a restart, has one effect and equal answers',
    args: ['--rounds', '2'],
    planted: [{ bug: 'each copy has its own key', args: ['--planted'] }],
  },
  {
    name: 'requests',
    shows: 'random requests made from the OpenAPI document are answered in time, never with a failure',
    args: ['--requests', '20000'],
    planted: [{ bug: 'an escape in a path fails', args: ['--requests', '400', '--planted'] }],
  },
  {
    name: 'stopped',
    shows: 'a client that is stopped amid its streams does not make the server grow',
    args: [],
    planted: [{ bug: 'buffers without end', args: ['--planted'] }],
  },
  {
    name: 'agent',
    shows: 'a turn of an agent whose process dies at any moment goes on or ends, and charges nobody twice',
    args: ['--turns', '40'],
    planted: [
      {
        bug: 'a tool that may not run again does',
        args: ['--turns', '0', '--planted', 'rerun'],
      },
      {
        bug: 'nobody looks for lost runs',
        args: ['--turns', '0', '--every', '12', '--planted', 'abandoned'],
      },
      { bug: 'results left out', args: ['--turns', '0', '--every', '40', '--planted', 'dropped'] },
    ],
  },
  {
    name: 'agent-zombie',
    shows: 'a worker that wakes after another took its turn over writes nothing that is taken',
    args: ['--zombies', '40'],
    planted: [{ bug: 'a store without a fence', args: ['--zombies', '8', '--planted'] }],
  },
  {
    name: 'agent-ledger',
    shows: 'what agents spend is what their provider bills, however an attempt ends',
    args: ['--attempts', '5000'],
    planted: [{ bug: 'a client that tries again unseen', args: ['--attempts', '200', '--planted'] }],
  },
  {
    name: 'agent-budget',
    shows: 'sixteen children that spend at once never pass the budget of money',
    args: ['--trees', '24'],
    planted: [{ bug: 'nothing is reserved', args: ['--trees', '2', '--planted'] }],
  },
  {
    name: 'agent-context',
    shows: 'however long a session grows, what its model is sent fits and holds what is pinned',
    args: ['--rounds', '1000'],
    planted: [{ bug: 'nothing is pinned', args: ['--rounds', '100', '--planted'] }],
  },
]
