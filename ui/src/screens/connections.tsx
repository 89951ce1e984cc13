import { Cable, Plus } from 'lucide-preact'
import { byConnection, healthOf, isOpen, useConnections, useDestinations, useJobs, useSources } from '../api/data'
import type { Connection, JobSummary } from '../api/types'
import { JobBars } from '../parts/bars'
import { Button, Card, Empty, Page, Shown, Status, Time } from '../parts/basics'
import { count, plural, scheduleText } from '../parts/format'
import { Choice, SearchBox, Table, type Column } from '../parts/table'
import { query, setQuery } from '../router'

interface Row {
  c: Connection
  source: string
  destination: string
  health: string
  jobs: JobSummary[]
  fresh: string
}

export function Connections() {
  const connections = useConnections()
  const sources = useSources()
  const destinations = useDestinations()
  const jobs = useJobs()
  const text = (query.value.get('q') ?? '').toLowerCase()
  const health = query.value.get('health') ?? ''
  const source = query.value.get('source') ?? ''
  const destination = query.value.get('destination') ?? ''
  const names = new Map([...(sources.data ?? []).map((s) => [s.sourceId!, s.name]), ...(destinations.data ?? []).map((d) => [d.destinationId!, d.name])] as [string, string][])
  const mine = byConnection(jobs.data ?? [])
  const columns: Column<Row>[] = [
    {
      id: 'name',
      name: 'Connection',
      width: 'minmax(180px, 2.2fr)',
      narrow: true,
      sort: (r) => r.c.name,
      cell: (r) => (
        <span class="two-lines">
          <a class="name ellipsis" href={`/connections/${r.c.connectionId}`}>
            {r.c.name}
          </a>
          <small>
            {r.source} → {r.destination}
          </small>
        </span>
      ),
    },
    { id: 'status', name: 'Status', width: '128px', narrow: true, sort: (r) => r.health, cell: (r) => (r.c.status === 'inactive' ? <Status status="inactive" /> : <Status status={r.health} />) },
    { id: 'fresh', name: 'Last success', width: '118px', sort: (r) => r.fresh, cell: (r) => <Time at={r.fresh} empty="never" /> },
    { id: 'schedule', name: 'Schedule', width: 'minmax(110px, 1fr)', sort: (r) => scheduleText(r.c.schedule), cell: (r) => <span class="muted">{scheduleText(r.c.schedule)}</span> },
    { id: 'rows', name: 'Rows, last job', width: '110px', align: 'right', sort: (r) => r.jobs[0]?.rowsSynced ?? -1, cell: (r) => (r.jobs[0] ? count(r.jobs[0].rowsSynced) : '–') },
    { id: 'jobs', name: 'Recent jobs', width: '136px', cell: (r) => <JobBars jobs={r.jobs} /> },
  ]
  return (
    <Page title="Connections" actions={<Button kind="primary" icon={Plus} href="/connections/new">New connection</Button>}>
      <Card flush>
        <Shown query={connections} rows={8}>
          {(all) => {
            const rows: Row[] = all.map((c) => {
              const own = mine.get(c.connectionId) ?? []
              const state = own.some((j) => isOpen(j.status)) ? 'running' : healthOf(own)
              return {
                c,
                source: names.get(c.sourceId) ?? '…',
                destination: names.get(c.destinationId) ?? '…',
                jobs: own,
                health: state,
                fresh: own.find((j) => j.status === 'succeeded')?.lastUpdatedAt ?? '',
              }
            })
            const shown = rows.filter(
              (r) =>
                (!text || `${r.c.name} ${r.source} ${r.destination}`.toLowerCase().includes(text)) &&
                (!health || (health === 'inactive' ? r.c.status === 'inactive' : r.health === health || (health === 'failed' && r.health === 'partial'))) &&
                (!source || r.c.sourceId === source) &&
                (!destination || r.c.destinationId === destination),
            )
            if (all.length === 0)
              return (
                <Empty title="No connection yet" icon={Cable} actions={<Button kind="primary" icon={Plus} href="/connections/new">New connection</Button>}>
                  A connection moves the streams of a source into a destination, once or on a schedule.
                </Empty>
              )
            return (
              <>
                <div class="toolbar">
                  <SearchBox label="Search connections" />
                  <Choice
                    label="Status"
                    name="health"
                    options={[
                      ['', 'Any status'],
                      ['healthy', 'Healthy'],
                      ['running', 'Running'],
                      ['failed', 'Failed'],
                      ['never run', 'Never run'],
                      ['inactive', 'Inactive'],
                    ]}
                  />
                  <Choice label="Source" name="source" options={[['', 'Any source'], ...(sources.data ?? []).slice(0, 500).map((s): [string, string] => [s.sourceId!, s.name])]} />
                  <Choice label="Destination" name="destination" options={[['', 'Any destination'], ...(destinations.data ?? []).slice(0, 500).map((d): [string, string] => [d.destinationId!, d.name])]} />
                  <span class="tally spread">{shown.length === all.length ? plural(all.length, 'connection') : `${count(shown.length)} of ${count(all.length)}`}</span>
                </div>
                <Table
                  label="Connections"
                  rows={shown}
                  columns={columns}
                  keyOf={(r) => r.c.connectionId}
                  href={(r) => `/connections/${r.c.connectionId}`}
                  empty={
                    <Empty title="No connection fits" actions={<Button onClick={() => setQuery({ q: null, health: null, source: null, destination: null })}>Clear the filter</Button>}>
                      Nothing matches what you asked for.
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
