import { Database, HardDriveUpload, Plus } from 'lucide-preact'
import { useConnections, useConnectors, useDestinations, useSources } from '../api/data'
import type { Actor } from '../api/types'
import { Button, Card, Empty, Page, Shown, Tag, Time } from '../parts/basics'
import { count, plural } from '../parts/format'
import { SearchBox, Table, type Column } from '../parts/table'
import { query } from '../router'

export const Sources = () => <Actors kind="sources" />
export const Destinations = () => <Actors kind="destinations" />

// What tells two of them apart at a glance.
export function whereOf(c: Record<string, unknown>): string {
  if (c.host) return `${c.host}${c.port ? ':' + c.port : ''}${c.database ? '/' + c.database : ''}`
  return String(c.path ?? c.bootstrap_servers ?? c.url ?? '')
}

function Actors({ kind }: { kind: 'sources' | 'destinations' }) {
  const isSource = kind === 'sources'
  const all = isSource ? useSources() : useDestinations()
  const connections = useConnections()
  const connectors = useConnectors()
  const idOf = (a: Actor) => (isSource ? a.sourceId : a.destinationId)!
  const uses = new Map<string, number>()
  for (const c of connections.data ?? []) {
    const id = isSource ? c.sourceId : c.destinationId
    uses.set(id, (uses.get(id) ?? 0) + 1)
  }
  const connectorOf = (a: Actor) => connectors.data?.find((c) => c.name === (a.sourceType ?? a.destinationType))?.title ?? a.sourceType ?? a.destinationType ?? ''
  const text = (query.value.get('q') ?? '').toLowerCase()
  const noun = isSource ? 'source' : 'destination'
  const columns: Column<Actor>[] = [
    {
      id: 'name',
      name: isSource ? 'Source' : 'Destination',
      width: 'minmax(180px, 2fr)',
      narrow: true,
      sort: (a) => a.name,
      cell: (a) => (
        <span class="two-lines">
          <a class="name ellipsis" href={`/${kind}/${idOf(a)}`}>
            {a.name}
          </a>
          <small class="mono">{whereOf(a.configuration)}</small>
        </span>
      ),
    },
    { id: 'connector', name: 'Connector', width: '140px', narrow: true, sort: connectorOf, cell: (a) => <Tag>{connectorOf(a)}</Tag> },
    { id: 'used', name: 'Used by', width: '130px', sort: (a) => uses.get(idOf(a)) ?? 0, cell: (a) => (uses.get(idOf(a)) ? plural(uses.get(idOf(a))!, 'connection') : <span class="muted">nothing yet</span>) },
    { id: 'revision', name: 'Revision', width: '84px', align: 'right', cell: (a) => count(a.revision) },
    { id: 'updated', name: 'Changed', width: '110px', align: 'right', sort: (a) => a.updatedAt, cell: (a) => <Time at={a.updatedAt * 1000} /> },
  ]
  const add = (
    <Button kind="primary" icon={Plus} href={`/${kind}/new`}>
      New {noun}
    </Button>
  )
  return (
    <Page title={isSource ? 'Sources' : 'Destinations'} actions={add}>
      <Card flush>
        <Shown query={all}>
          {(items) => {
            if (items.length === 0)
              return (
                <Empty title={`No ${noun} yet`} icon={isSource ? Database : HardDriveUpload} actions={add}>
                  {isSource ? 'A source is a system that rows are read from, and how to reach it.' : 'A destination is a system that rows are written to, and how to reach it.'}
                </Empty>
              )
            const shown = items.filter((a) => !text || `${a.name} ${whereOf(a.configuration)} ${connectorOf(a)}`.toLowerCase().includes(text))
            return (
              <>
                <div class="toolbar">
                  <SearchBox label={`Search ${kind}`} />
                  <span class="tally spread">{plural(shown.length, noun)}</span>
                </div>
                <Table label={isSource ? 'Sources' : 'Destinations'} rows={shown} columns={columns} keyOf={idOf} href={(a) => `/${kind}/${idOf(a)}`} empty={<Empty title={`No ${noun} fits`} />} />
              </>
            )
          }}
        </Shown>
      </Card>
    </Page>
  )
}
