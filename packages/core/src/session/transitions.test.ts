import { isHoldfastError } from '@holdfast/protocol'
import { expect, test } from 'vitest'
import type { SessionCommand } from './decide/index.ts'
import { lifecycleOf, statusOf } from './lifecycle.ts'
import { says, startRun } from './testing/commands.ts'
import { type Caller, TestLog } from './testing/log.ts'
import { leaseStates, lifeStates, outcomeOf, runStates, samples } from './testing/states.ts'

/** A command on a state gives the events it writes, the code of its refusal, or `nothing`. */

const byTheWorker = `
                    | none                    | initializing                 | in a round                   | between rounds               | suspended               | finalizing              | completed               | failed                  | cancelled
startRun            | run.started lease.taken | run_live                     | run_live                     | run_live                     | run_live                | run_live                | run.started lease.taken | run.started lease.taken | run.started lease.taken
takeOverRun         | no_live_run             | lease_held                   | lease_held                   | lease_held                   | no_live_run             | lease_held              | no_live_run             | no_live_run             | no_live_run
startRound          | no_live_run             | round.started                | illegal_transition           | round.started                | no_live_run             | illegal_transition      | no_live_run             | no_live_run             | no_live_run
completeRound       | no_live_run             | illegal_transition           | round.completed              | illegal_transition           | no_live_run             | illegal_transition      | no_live_run             | no_live_run             | no_live_run
suspendRun          | no_live_run             | run.suspended                | run.suspended                | run.suspended                | no_live_run             | illegal_transition      | no_live_run             | no_live_run             | no_live_run
resumeRun           | illegal_transition      | illegal_transition           | illegal_transition           | illegal_transition           | lease.taken run.resumed | illegal_transition      | illegal_transition      | illegal_transition      | illegal_transition
finalizeRun         | no_live_run             | run.finalizing               | illegal_transition           | run.finalizing               | no_live_run             | nothing                 | no_live_run             | no_live_run             | no_live_run
completeRun         | no_live_run             | run.finalizing run.completed | illegal_transition           | run.finalizing run.completed | no_live_run             | run.completed           | no_live_run             | no_live_run             | no_live_run
failRun             | no_live_run             | run.failed                   | run.failed                   | run.failed                   | run.failed              | run.failed              | no_live_run             | no_live_run             | no_live_run
cancelRun           | no_live_run             | run.cancelled                | run.cancelled                | run.cancelled                | run.cancelled           | illegal_transition      | no_live_run             | no_live_run             | no_live_run
stopRun             | no_live_run             | run.stop_requested           | run.stop_requested           | run.stop_requested           | run.cancelled           | nothing                 | no_live_run             | no_live_run             | no_live_run
askQuestion         | question.asked          | question.asked run.suspended | question.asked run.suspended | question.asked run.suspended | question.asked          | illegal_transition      | question.asked          | question.asked          | question.asked
append              | message.appended        | message.appended             | message.appended             | message.appended             | message.appended        | message.appended        | message.appended        | message.appended        | message.appended
edit                | not_found               | run_live                     | run_live                     | run_live                     | run_live                | run_live                | not_found               | not_found               | not_found
finishTool          | call_not_open           | call_not_open                | call_not_open                | call_not_open                | call_not_open           | call_not_open           | call_not_open           | call_not_open           | call_not_open
closeCalls          | nothing                 | nothing                      | nothing                      | nothing                      | run_live                | nothing                 | nothing                 | nothing                 | nothing
openProviderContext | no_live_run             | provider_context.opened      | provider_context.opened      | provider_context.opened      | no_live_run             | provider_context.opened | no_live_run             | no_live_run             | no_live_run
reserveBudget       | budget.reserved         | budget.reserved              | budget.reserved              | budget.reserved              | budget.reserved         | budget.reserved         | budget.reserved         | budget.reserved         | budget.reserved
applyCompaction     | compaction.applied      | compaction.applied           | compaction.applied           | compaction.applied           | compaction.applied      | compaction.applied      | compaction.applied      | compaction.applied      | compaction.applied
recordUsage         | usage.recorded          | usage.recorded               | usage.recorded               | usage.recorded               | usage.recorded          | usage.recorded          | usage.recorded          | usage.recorded          | usage.recorded
close               | session.closed          | run_live                     | run_live                     | run_live                     | run_live                | run_live                | session.closed          | session.closed          | session.closed
`

const fromBeside = `
                    | none                    | initializing       | in a round         | between rounds     | suspended               | finalizing         | completed               | failed                  | cancelled
startRun            | run.started lease.taken | run_live           | run_live           | run_live           | run_live                | run_live           | run.started lease.taken | run.started lease.taken | run.started lease.taken
takeOverRun         | no_live_run             | lease_held         | lease_held         | lease_held         | no_live_run             | lease_held         | no_live_run             | no_live_run             | no_live_run
startRound          | no_live_run             | run_live           | run_live           | run_live           | no_live_run             | run_live           | no_live_run             | no_live_run             | no_live_run
completeRound       | no_live_run             | run_live           | run_live           | run_live           | no_live_run             | run_live           | no_live_run             | no_live_run             | no_live_run
suspendRun          | no_live_run             | run_live           | run_live           | run_live           | no_live_run             | run_live           | no_live_run             | no_live_run             | no_live_run
resumeRun           | illegal_transition      | illegal_transition | illegal_transition | illegal_transition | lease.taken run.resumed | illegal_transition | illegal_transition      | illegal_transition      | illegal_transition
finalizeRun         | no_live_run             | run_live           | run_live           | run_live           | no_live_run             | run_live           | no_live_run             | no_live_run             | no_live_run
completeRun         | no_live_run             | run_live           | run_live           | run_live           | no_live_run             | run_live           | no_live_run             | no_live_run             | no_live_run
failRun             | no_live_run             | run_live           | run_live           | run_live           | run.failed              | run_live           | no_live_run             | no_live_run             | no_live_run
cancelRun           | no_live_run             | run_live           | run_live           | run_live           | run.cancelled           | run_live           | no_live_run             | no_live_run             | no_live_run
stopRun             | no_live_run             | run.stop_requested | run.stop_requested | run.stop_requested | run.cancelled           | nothing            | no_live_run             | no_live_run             | no_live_run
askQuestion         | question.asked          | run_live           | run_live           | run_live           | question.asked          | run_live           | question.asked          | question.asked          | question.asked
append              | message.appended        | message.appended   | message.appended   | message.appended   | message.appended        | message.appended   | message.appended        | message.appended        | message.appended
edit                | not_found               | run_live           | run_live           | run_live           | run_live                | run_live           | not_found               | not_found               | not_found
finishTool          | call_not_open           | call_not_open      | call_not_open      | call_not_open      | call_not_open           | call_not_open      | call_not_open           | call_not_open           | call_not_open
closeCalls          | nothing                 | run_live           | run_live           | run_live           | run_live                | run_live           | nothing                 | nothing                 | nothing
openProviderContext | no_live_run             | run_live           | run_live           | run_live           | no_live_run             | run_live           | no_live_run             | no_live_run             | no_live_run
reserveBudget       | budget.reserved         | run_live           | run_live           | run_live           | budget.reserved         | run_live           | budget.reserved         | budget.reserved         | budget.reserved
applyCompaction     | compaction.applied      | run_elsewhere      | run_elsewhere      | run_elsewhere      | compaction.applied      | run_elsewhere      | compaction.applied      | compaction.applied      | compaction.applied
recordUsage         | usage.recorded          | usage.recorded     | usage.recorded     | usage.recorded     | usage.recorded          | usage.recorded     | usage.recorded          | usage.recorded          | usage.recorded
close               | session.closed          | run_live           | run_live           | run_live           | run_live                | run_live           | session.closed          | session.closed          | session.closed
`

const onALife = `
                          | created                                   | active                   | closed           | expired          | swept
activate                  | session.activated                         | nothing                  | session_closed   | session_expired  | session_expired
rename                    | session.renamed                           | session.renamed          | session_closed   | session_expired  | session_expired
pin                       | session.pinned                            | session.pinned           | session_closed   | session_expired  | session_expired
hold                      | session.held                              | session.held             | session.held     | session.held     | session.held
patchMetadata             | session.metadata_changed                  | session.metadata_changed | session_closed   | session_expired  | session_expired
replaceMetadata           | session.metadata_changed                  | session.metadata_changed | session_closed   | session_expired  | session_expired
setModel                  | session.model_changed                     | model_locked             | session_closed   | session_expired  | session_expired
setSeed                   | session.seed_set                          | session.seed_set         | session_closed   | session_expired  | session_expired
setPersona                | session.persona_set                       | session.persona_set      | session_closed   | session_expired  | session_expired
setEffort                 | session.effort_changed                    | session.effort_changed   | session_closed   | session_expired  | session_expired
setInstructions           | session.instructions_set                  | session.instructions_set | session_closed   | session_expired  | session_expired
setPrompt                 | prompt.snapshot_set                       | prompt.snapshot_set      | session_closed   | session_expired  | session_expired
close                     | session.closed                            | session.closed           | nothing          | session_expired  | session_expired
expire                    | nothing                                   | nothing                  | nothing          | session.expired  | nothing
append                    | session.activated message.appended        | message.appended         | session_closed   | session_expired  | session_expired
edit                      | not_found                                 | not_found                | session_closed   | session_expired  | session_expired
truncate                  | nothing                                   | message.truncated        | session_closed   | session_expired  | session_expired
undo                      | nothing_to_undo                           | nothing_to_undo          | session_closed   | session_expired  | session_expired
redo                      | nothing_to_redo                           | nothing_to_redo          | session_closed   | session_expired  | session_expired
addNote                   | note.added                                | note.added               | session_closed   | session_expired  | session_expired
finishTool                | call_not_open                             | call_not_open            | session_closed   | session_expired  | session_expired
closeCalls                | nothing                                   | nothing                  | session_closed   | session_expired  | session_expired
startRun                  | session.activated run.started lease.taken | run.started lease.taken  | session_closed   | session_expired  | session_expired
takeOverRun               | no_live_run                               | no_live_run              | session_closed   | session_expired  | session_expired
suspendRun                | no_live_run                               | no_live_run              | session_closed   | session_expired  | session_expired
resumeRun                 | illegal_transition                        | illegal_transition       | session_closed   | session_expired  | session_expired
finalizeRun               | no_live_run                               | no_live_run              | session_closed   | session_expired  | session_expired
completeRun               | no_live_run                               | no_live_run              | session_closed   | session_expired  | session_expired
failRun                   | no_live_run                               | no_live_run              | session_closed   | session_expired  | session_expired
cancelRun                 | no_live_run                               | no_live_run              | session_closed   | session_expired  | session_expired
stopRun                   | no_live_run                               | no_live_run              | session_closed   | session_expired  | session_expired
startRound                | no_live_run                               | no_live_run              | session_closed   | session_expired  | session_expired
completeRound             | no_live_run                               | no_live_run              | session_closed   | session_expired  | session_expired
recordUsage               | usage.recorded                            | usage.recorded           | usage.recorded   | usage.recorded   | usage.recorded
askQuestion               | question.asked                            | question.asked           | session_closed   | session_expired  | session_expired
answerQuestion            | question_not_open                         | question_not_open        | session_closed   | session_expired  | session_expired
withdrawQuestion          | question_not_open                         | question_not_open        | session_closed   | session_expired  | session_expired
expireQuestion            | nothing                                   | nothing                  | session_closed   | session_expired  | session_expired
setTasks                  | task.list_set                             | task.list_set            | session_closed   | session_expired  | session_expired
updateTask                | no_task_list                              | no_task_list             | session_closed   | session_expired  | session_expired
measureContext            | context.measured                          | context.measured         | session_closed   | session_expired  | session_expired
trimContext               | context.trimmed                           | context.trimmed          | session_closed   | session_expired  | session_expired
clearContext              | context.cleared                           | context.cleared          | session_closed   | session_expired  | session_expired
applyCompaction           | compaction.applied                        | compaction.applied       | session_closed   | session_expired  | session_expired
failCompaction            | compaction.failed                         | compaction.failed        | session_closed   | session_expired  | session_expired
openProviderContext       | no_live_run                               | no_live_run              | session_closed   | session_expired  | session_expired
invalidateProviderContext | nothing                                   | nothing                  | session_closed   | session_expired  | session_expired
setBudget                 | budget.set                                | budget.set               | session_closed   | session_expired  | session_expired
reserveBudget             | budget.reserved                           | budget.reserved          | session_closed   | session_expired  | session_expired
settleBudget              | reservation_not_open                      | reservation_not_open     | session_closed   | session_expired  | session_expired
spawnChild                | child.spawned                             | child.spawned            | session_closed   | session_expired  | session_expired
finishChild               | child_not_open                            | child_not_open           | child_not_open   | child_not_open   | child_not_open
saveCheckpoint            | checkpoint.saved                          | checkpoint.saved         | session_closed   | session_expired  | session_expired
takeFiles                 | note.added                                | note.added               | note.added       | note.added       | note.added
erase                     | session.erased                            | session.erased           | session.erased   | session.erased   | session.erased
repair                    | session.repaired                          | session.repaired         | session.repaired | session.repaired | session.repaired
`

test.each(rows(byTheWorker))(
  'the run axis, under the epoch of the run: $command on $state gives $outcome',
  ({ command, state, outcome }) => {
    const log = stateOf(runStates, state)
    expect(outcomeOf(log, sample(command), log.lease.owner === undefined ? {} : { own: true })).toBe(outcome)
  },
)

test.each(rows(fromBeside))(
  'the run axis, without an epoch: $command on $state gives $outcome',
  ({ command, state, outcome }) => {
    expect(outcomeOf(stateOf(runStates, state), sample(command))).toBe(outcome)
  },
)

test.each(rows(onALife))(
  'the lifecycle axis: $command on $state gives $outcome',
  ({ command, state, outcome }) => {
    expect(outcomeOf(stateOf(lifeStates, state), sample(command))).toBe(outcome)
  },
)

test('every command has its row in the table of the lifecycle', () => {
  expect([...new Set(rows(onALife).map((row) => row.command))]).toEqual(Object.keys(samples))
})

const takeOver: SessionCommand = { type: 'takeOverRun', owner: 'worker-2', ttlMs: 1_000 }
const resume: SessionCommand = { type: 'resumeRun', owner: 'worker-2', ttlMs: 1_000 }
const round: SessionCommand = { type: 'completeRound' }

const onALease: [
  state: keyof typeof leaseStates,
  takeOver: string,
  resume: string,
  ownWrite: string,
  staleWrite: string,
  status: string,
][] = [
  ['no lease', 'no_live_run', 'illegal_transition', 'stale_epoch', 'stale_epoch', 'idle'],
  ['held', 'lease_held', 'illegal_transition', 'round.completed', 'stale_epoch', 'running'],
  [
    'held a millisecond before',
    'lease_held',
    'illegal_transition',
    'round.completed',
    'stale_epoch',
    'running',
  ],
  // Nobody took it: the worker that was slow may go on, and by that keeps its run.
  [
    'lost at the very instant',
    'lease.lost lease.taken',
    'illegal_transition',
    'round.completed',
    'stale_epoch',
    'unknown',
  ],
  ['released', 'no_live_run', 'lease.taken run.resumed', 'stale_epoch', 'stale_epoch', 'suspended'],
]

test.each(onALease)(
  'the liveness axis: a lease that is %s',
  (state, taken, resumed, ownWrite, staleWrite, status) => {
    const make = leaseStates[state]
    expect(outcomeOf(make(), takeOver)).toBe(taken)
    expect(outcomeOf(make(), resume)).toBe(resumed)
    expect(outcomeOf(make(), round, { own: true })).toBe(ownWrite)
    expect(outcomeOf(make(), round, { epoch: 99 })).toBe(staleWrite)
    const log = make()
    expect(statusOf(log.head, log.lease, log.nowMs)).toBe(status)
  },
)

test('takeover and resumption each raise the epoch by one, and the old epoch is refused from then on', () => {
  for (const [state, command] of [
    ['lost at the very instant', takeOver],
    ['released', resume],
  ] as const) {
    const log = leaseStates[state]()
    const { epoch } = log.lease
    log.do(command)
    expect(log.lease).toEqual({ epoch: epoch + 1, owner: 'worker-2', expiresAtMs: log.nowMs + 1_000 })
    expect(outcomeOf(log, samples.failRun, { epoch })).toBe('stale_epoch')
    expect(outcomeOf(log, samples.failRun, { own: true })).toBe('run.failed')
  }
})

test.each(['completeRun', 'failRun', 'cancelRun'] as const)(
  '%s writes exactly one terminal event, and no second one can follow',
  (end) => {
    const log = runStates['between rounds']()
    log.do(samples[end], { own: true })
    for (const command of [samples.completeRun, samples.failRun, samples.cancelRun, samples.stopRun]) {
      expect(outcomeOf(log, command, {})).toBe('no_live_run')
    }
    const terminal = log.events.filter((event) =>
      ['run.completed', 'run.failed', 'run.cancelled'].includes(event.type),
    )
    expect(terminal).toHaveLength(1)
    expect(log.lease.owner).toBeUndefined()
  },
)

const statuses: [wanted: string, make: () => TestLog][] = [
  ['created', lifeStates.created],
  ['idle', lifeStates.active],
  ['idle', runStates.failed],
  ['idle', runStates.completed],
  ['running', runStates.initializing],
  ['running', runStates['in a round']],
  ['running', runStates.finalizing],
  ['suspended', runStates.suspended],
  ['unknown', leaseStates['lost at the very instant']],
  ['expired', lifeStates.expired],
  ['expired', lifeStates.swept],
  ['completed', lifeStates.closed],
  ['failed', () => closedAfter(runStates.failed())],
  ['cancelled', () => closedAfter(runStates.suspended(), true)],
]

test.each(statuses)('status %s is derived', (wanted, make) => {
  const log = make()
  expect(statusOf(log.head, log.lease, log.nowMs)).toBe(wanted)
})

test('created, active, closed and expired follow the times and the clock, the boundary included', () => {
  const of = (log: TestLog) => lifecycleOf(log.head, log.nowMs)
  expect(Object.values(lifeStates).map((make) => of(make()))).toEqual([
    'created',
    'active',
    'closed',
    'expired',
    'expired',
  ])
  const log = lifeStates.expired()
  log.nowMs -= 1
  expect(of(log)).toBe('active')
})

test('a run that is live at expiry goes on under its epoch to its end; nobody else writes', () => {
  const log = TestLog.create({ ttlSecs: 10 })
  log.do(startRun())
  log.nowMs += 10_000
  expect(outcomeOf(log, says('too late'))).toBe('session_expired')
  expect(outcomeOf(log, { type: 'expire' })).toBe('run_live')
  expect(outcomeOf(log, { type: 'completeRun' }, { own: true })).toBe('run.finalizing run.completed')
  expect(outcomeOf(log, { type: 'expire' })).toBe('session.expired')
})

test('the sweep cancels a run that nobody holds any more', () => {
  const log = TestLog.create({ ttlSecs: 60 })
  log.do(startRun())
  log.nowMs += 60_000
  expect(outcomeOf(log, { type: 'expire' })).toBe('run.cancelled session.expired')
})

test('closing with a live run needs cancel, and cancels it', () => {
  const log = runStates['in a round']()
  expect(outcomeOf(log, { type: 'close', cancel: true })).toBe('run.cancelled session.closed')
  expect(log.head.outcome).toBe('cancelled')
  expect(log.lease.owner).toBeUndefined()
})

test('closing again changes nothing and keeps the first end', () => {
  const log = lifeStates.closed()
  const { endedAt } = log.head
  log.nowMs += 5_000
  expect(outcomeOf(log, { type: 'close', cancel: false, outcome: 'failed' })).toBe('nothing')
  expect(log.head.endedAt).toBe(endedAt)
})

test('the order of checks is epoch, version, life, then the command', () => {
  const log = lifeStates.closed()
  const code = (caller: Caller) => outcomeOf(log, samples.rename, caller)
  expect(code({ epoch: 3, expectedVersion: 99 })).toBe('stale_epoch')
  expect(code({ expectedVersion: 99 })).toBe('version_conflict')
  expect(code({ expectedVersion: log.head.version })).toBe('session_closed')
})

test('rounds never move the version; whatever is written beside the run does', () => {
  const log = runStates.none()
  const { version } = log.head
  log.do(startRun())
  for (const command of [
    samples.startRound,
    samples.recordUsage,
    samples.measureContext,
    samples.completeRound,
    samples.completeRun,
  ]) {
    log.do(command, { own: true })
  }
  expect(log.head.version).toBe(version)
  log.do(samples.rename, { expectedVersion: version })
  expect(log.head.version).toBe(log.head.seq)
})

test('a refusal tells the current version', () => {
  const log = lifeStates.active()
  try {
    log.do(samples.rename, { expectedVersion: 1 })
    expect.unreachable()
  } catch (error) {
    expect(isHoldfastError(error, 'version_conflict') && error.details).toEqual({
      version: 2,
      expectedVersion: 1,
    })
  }
})

function closedAfter(log: TestLog, cancel = false): TestLog {
  log.do({ type: 'close', cancel })
  return log
}

interface Row {
  command: string
  state: string
  outcome: string
}

function rows(table: string): Row[] {
  const [head = [], ...lines] = table
    .trim()
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
  const states = head.filter((cell) => cell !== '')
  return lines.flatMap(([command = '', ...cells]) =>
    cells.map((outcome, i) => ({ command, state: states[i] ?? '', outcome })),
  )
}

function stateOf(states: Record<string, () => TestLog>, name: string): TestLog {
  const make = states[name]
  if (!make) throw new Error(`no state ${name}`)
  return make()
}

function sample(command: string): SessionCommand {
  return samples[command as keyof typeof samples]
}
