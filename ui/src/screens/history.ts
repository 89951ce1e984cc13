// A history as groups: what belongs together (a step's events, a timer's, a child's, a signal) under one head.
import type { HistoryEvent } from '../api/types'
import { millis } from '../parts/format'

export interface Group {
  key: string
  kind: 'execution' | 'step' | 'timer' | 'child' | 'signal' | 'update' | 'marker' | 'turn'
  name: string
  events: HistoryEvent[]
  start: number
  end: number | null
  status: string
  attempts: number
  failure: any
}

const kEnds: Record<string, string> = {
  COMPLETED: 'completed',
  FAILED: 'failed',
  TIMED_OUT: 'timedout',
  CANCELED: 'canceled',
  FIRED: 'completed',
  TERMINATED: 'terminated',
  CONTINUED_AS_NEW: 'continuedasnew',
}

function kindOf(type: string): Group['kind'] {
  if (type.startsWith('ACTIVITY_')) return 'step'
  if (type.startsWith('TIMER_')) return 'timer'
  if (type.includes('CHILD_WORKFLOW')) return 'child'
  if (type.startsWith('WORKFLOW_EXECUTION_UPDATE')) return 'update'
  if (type.includes('SIGNALED')) return 'signal'
  if (type.startsWith('WORKFLOW_TASK')) return 'turn'
  if (type.startsWith('WORKFLOW_EXECUTION')) return 'execution'
  return 'marker'
}

export const wordsOf = (type: string) => {
  const text = type
    .replace(/^ACTIVITY_TASK_/, 'step ')
    .replace(/^WORKFLOW_TASK_/, 'turn ')
    .replace(/^WORKFLOW_EXECUTION_/, 'execution ')
    .replace(/_/g, ' ')
    .toLowerCase()
  return text[0].toUpperCase() + text.slice(1)
}

export function groupsOf(events: HistoryEvent[]): Group[] {
  const groups: Group[] = []
  const byEvent = new Map<number, Group>()
  for (const e of events) {
    const a = e.attributes
    const kind = kindOf(e.type)
    if (kind === 'turn') continue
    const opener: number | undefined = a.scheduledEventId ?? a.startedTimerEventId ?? a.initiatedEventId ?? a.acceptedEventId ?? (kind === 'timer' && a.startedEventId)
    let group = opener ? byEvent.get(opener) : kind === 'execution' ? groups.find((g) => g.kind === 'execution') : undefined
    if (!group) {
      group = { key: `${kind}-${e.id}`, kind, name: nameOf(kind, e), events: [], start: millis(e.time), end: null, status: kind === 'signal' || kind === 'marker' ? 'completed' : 'running', attempts: 0, failure: null }
      groups.push(group)
    }
    byEvent.set(e.id, group)
    group.events.push(e)
    if (kind === 'step' && e.type.endsWith('_STARTED')) group.attempts = Math.max(group.attempts + 1, a.attempt ?? 0)
    if (a.failure) group.failure = a.failure
    if (kind === 'signal' || kind === 'marker') group.end = millis(e.time)
    for (const [word, status] of Object.entries(kEnds)) {
      if (e.type.endsWith('_' + word) && !e.type.includes('ATTEMPT')) {
        group.status = status
        group.end = millis(e.time)
      }
    }
  }
  return groups
}

function nameOf(kind: Group['kind'], e: HistoryEvent): string {
  const a = e.attributes
  switch (kind) {
    case 'step':
      return a.activityType ?? a.activityId ?? 'step'
    case 'timer':
      return `timer ${a.timerId ?? ''}`
    case 'child':
      return a.workflowId ?? a.workflowType ?? 'child'
    case 'signal':
      return `signal ${a.signalName ?? a.name ?? ''}`
    case 'update':
      return `update ${a.name ?? a.updateName ?? a.updateId ?? ''}`
    case 'execution':
      return a.workflowType ?? 'execution'
    default:
      return wordsOf(e.type)
  }
}
