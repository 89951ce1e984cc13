// The demo: generated rows into a SQLite file on the server's host.
import { api } from '../api/client'
import { invalidate } from '../api/query'
import type { Actor, Connection, JobSummary } from '../api/types'
import { attempt } from '../parts/toast'
import { navigate } from '../router'

export async function startDemo(): Promise<void> {
  const job = await attempt(async () => {
    const source = await api.post<Actor>('/v1/sources', { body: { name: 'demo-source', connector: 'datagen', configuration: { streams: 3, rows: 50_000, rows_per_second: 20_000 } } })
    const destination = await api.post<Actor>('/v1/destinations', { body: { name: 'demo-destination', connector: 'sqlite', configuration: { path: 'demo.sqlite' } } })
    const connection = await api.post<Connection>('/v1/connections', { body: { name: 'demo', sourceId: source.sourceId, destinationId: destination.destinationId } })
    return api.post<JobSummary>('/v1/jobs', { body: { connectionId: connection.connectionId, jobType: 'sync' } })
  })
  invalidate('connections', 'sources', 'destinations', 'jobs')
  if (job) navigate(`/jobs/${job.jobId}`)
}
