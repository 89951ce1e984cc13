// What several screens read, and how the live stream keeps it fresh.
import { all, api, type List } from './client'
import { useLive } from './live'
import { patchCache, putCache, useQuery, type Query } from './query'
import type { Actor, Connection, Connector, Job, JobSummary } from './types'

export const useConnections = () => useQuery('connections', () => all<Connection>('/v1/connections'))
export const useSources = () => useQuery('sources', () => all<Actor>('/v1/sources'))
export const useDestinations = () => useQuery('destinations', () => all<Actor>('/v1/destinations'))
export const useConnectors = () => useQuery('connectors', async () => (await api.get<List<Connector>>('/v1/connectors')).data)

const kRecent = 500

// The newest jobs, newest first, kept fresh.
export function useJobs(connectionId?: string): Query<JobSummary[]> {
  const key = 'jobs:' + (connectionId ?? '')
  const query = useQuery(key, async () => {
    const page = await api.get<List<JobSummary>>('/v1/jobs', { query: { limit: connectionId ? 200 : kRecent, view: 'summary', connectionId } })
    return page.data
  })
  useLive('jobs', (changed: JobSummary[]) => {
    const mine = connectionId ? changed.filter((j) => j.connectionId === connectionId) : changed
    if (mine.length > 0) patchCache<JobSummary[]>(key, (jobs) => merge(jobs, mine))
  })
  return query
}

function merge(jobs: JobSummary[], changed: JobSummary[]): JobSummary[] {
  const byId = new Map(jobs.map((j) => [j.jobId, j]))
  for (const job of changed) byId.set(job.jobId, job)
  return [...byId.values()].sort((a, b) => b.jobId - a.jobId).slice(0, kRecent)
}

export function useJob(id: string): Query<Job> {
  const query = useQuery(`job:${id}`, () => api.get<Job>('/v1/jobs/{id}', { path: { id } }))
  const open = !query.data || isOpen(query.data.status)
  useLive(open ? `job:${id}` : null, (job: Job) => putCache(`job:${id}`, job))
  return query
}

export const isOpen = (status: string) => status === 'pending' || status === 'running' || status === 'incomplete'

// Of a connection: what its newest sync says. 'never run' where there is none.
export function healthOf(jobs: JobSummary[]): string {
  const ended = jobs.find((j) => !isOpen(j.status) && j.jobType !== 'check' && j.jobType !== 'discover')
  if (!ended) return 'never run'
  if (ended.status === 'failed' && ended.partial) return 'partial'
  return ended.status === 'succeeded' ? 'healthy' : ended.status
}

export function byConnection(jobs: JobSummary[]): Map<string, JobSummary[]> {
  const map = new Map<string, JobSummary[]>()
  for (const job of jobs) {
    if (!job.connectionId) continue
    const list = map.get(job.connectionId)
    if (list) list.push(job)
    else map.set(job.connectionId, [job])
  }
  return map
}
