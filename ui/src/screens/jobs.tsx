import { Activity } from 'lucide-preact'
import { isOpen, useJobs } from '../api/data'
import type { JobSummary } from '../api/types'
import { Card, Empty, Page, Shown, Status, Time } from '../parts/basics'
import { bytes, count, duration, millis, now, plural } from '../parts/format'
import { Choice, SearchBox, Table, type Column } from '../parts/table'
import { query } from '../router'

export function jobColumns(withConnection: boolean): Column<JobSummary>[] {
  const took = (j: JobSummary) => (isOpen(j.status) ? now.value : millis(j.lastUpdatedAt)) - millis(j.startTime)
  return [
    {
      id: 'job',
      name: 'Job',
      width: withConnection ? 'minmax(170px, 2fr)' : 'minmax(110px, 1fr)',
      narrow: true,
      sort: (j) => j.jobId,
      cell: (j) => (
        <span class="two-lines">
          <a class="name ellipsis" href={`/jobs/${j.jobId}`}>
            {withConnection ? (j.connectionName ?? j.jobType) : `Job ${j.jobId}`}
          </a>
          <small>{withConnection ? `Job ${j.jobId} · ${j.jobType}` : j.jobType}</small>
        </span>
      ),
    },
    { id: 'status', name: 'Status', width: '118px', narrow: true, sort: (j) => j.status, cell: (j) => <Status status={j.partial ? 'partial' : j.status} /> },
    { id: 'rows', name: 'Rows', width: '96px', align: 'right', sort: (j) => j.rowsSynced, cell: (j) => count(j.rowsSynced) },
    { id: 'bytes', name: 'Size', width: '84px', align: 'right', sort: (j) => j.bytesSynced, cell: (j) => bytes(j.bytesSynced) },
    { id: 'took', name: 'Duration', width: '104px', align: 'right', sort: took, cell: (j) => duration(took(j)) },
    { id: 'by', name: 'Started by', width: '100px', sort: (j) => j.principal, cell: (j) => <span class="muted">{j.principal}</span> },
    { id: 'start', name: 'Started', width: '104px', align: 'right', sort: (j) => j.startTime, cell: (j) => <Time at={j.startTime} /> },
  ]
}

export function Jobs() {
  const jobs = useJobs()
  const text = (query.value.get('q') ?? '').toLowerCase()
  const status = query.value.get('status') ?? ''
  const type = query.value.get('type') ?? ''
  return (
    <Page title="Jobs">
      <Card flush>
        <Shown query={jobs} rows={8}>
          {(all) => {
            const shown = all.filter(
              (j) =>
                (!text || `${j.jobId} ${j.connectionName ?? ''}`.toLowerCase().includes(text)) &&
                (!status || (status === 'running' ? isOpen(j.status) : j.status === status)) &&
                (!type || j.jobType === type),
            )
            return (
              <>
                <div class="toolbar">
                  <SearchBox label="Search jobs" />
                  <Choice
                    label="Status"
                    name="status"
                    options={[
                      ['', 'Any status'],
                      ['running', 'Running or waiting'],
                      ['succeeded', 'Succeeded'],
                      ['failed', 'Failed'],
                      ['cancelled', 'Cancelled'],
                    ]}
                  />
                  <Choice label="Type" name="type" options={[['', 'Any type'], ...[...new Set(all.map((j) => j.jobType))].sort().map((t): [string, string] => [t, t])]} />
                  <span class="tally spread">{plural(shown.length, 'job')}</span>
                </div>
                <Table
                  label="Jobs"
                  rows={shown}
                  columns={jobColumns(true)}
                  keyOf={(j) => j.jobId}
                  href={(j) => `/jobs/${j.jobId}`}
                  empty={
                    <Empty title="No job" icon={Activity}>
                      {all.length ? 'Nothing matches what you asked for.' : 'Jobs appear here when a connection is synced, checked or discovered.'}
                    </Empty>
                  }
                />
              </>
            )
          }}
        </Shown>
      </Card>
    </Page>
  )
}
