// All executions, whatever they do, by a query; the query stands in the address, and can be kept under a name.
import { useEffect, useState } from 'preact/hooks'
import { Bookmark, Workflow, X } from 'lucide-preact'
import { api, type List } from '../api/client'
import { useLive } from '../api/live'
import { useQuery } from '../api/query'
import type { Execution } from '../api/types'
import { Button, Card, Empty, Page, Shown, Status, Tag, Time } from '../parts/basics'
import { bytes, count, duration, millis, now } from '../parts/format'
import { Table, type Column } from '../parts/table'
import { navigate, query, setQuery } from '../router'

const kStates = ['Running', 'Completed', 'Failed', 'Canceled', 'Terminated', 'TimedOut', 'Paused']
const kPage = 200

interface View {
  name: string
  search: string
}
const kViewsKey = 'millrace.views'
const readViews = (): View[] => {
  try {
    return JSON.parse(localStorage.getItem(kViewsKey) ?? '[]')
  } catch {
    return []
  }
}

export function Executions() {
  const status = query.value.get('status') ?? ''
  const type = query.value.get('type') ?? ''
  const id = query.value.get('id') ?? ''
  const terms = [status && `Status = '${status}'`, type && `WorkflowType = '${type.replace(/'/g, '')}'`, id && `WorkflowId = '${id.replace(/'/g, '')}'`].filter(Boolean)
  const asked = terms.join(' AND ')
  const [more, setMore] = useState<{ asked: string; items: Execution[]; next: string | null }>({ asked: '', items: [], next: null })
  const first = useQuery(`executions:${asked}`, () => api.get<List<Execution>>('/v1/workflows', { query: { query: asked, limit: kPage } }))
  const total = useQuery(`executionCount:${asked}`, () => api.get<{ count: number }>('/v1/workflows/count', { query: { query: asked } }))
  useLive('jobs', () => first.reload())
  useEffect(() => setMore({ asked, items: [], next: null }), [asked])
  const [views, setViews] = useState(readViews)
  const [naming, setNaming] = useState<string | null>(null)
  const keep = (all: View[]) => {
    setViews(all)
    localStorage.setItem(kViewsKey, JSON.stringify(all))
  }
  const columns: Column<Execution>[] = [
    {
      id: 'id',
      name: 'Execution',
      width: 'minmax(180px, 2.2fr)',
      narrow: true,
      cell: (e) => (
        <span class="two-lines">
          <a class="name ellipsis" href={`/executions/${encodeURIComponent(e.workflowId)}?run=${e.runId}`}>
            {e.workflowId}
          </a>
          <small class="mono">{e.runId.slice(0, 8)}</small>
        </span>
      ),
    },
    { id: 'type', name: 'Type', width: '130px', cell: (e) => <Tag>{e.type}</Tag> },
    {
      id: 'status',
      name: 'Status',
      width: '140px',
      narrow: true,
      cell: (e) => <Status status={e.blocked ? 'blocked' : e.setAside ? 'blocked' : e.status} label={e.setAside ? 'Set aside' : undefined} />,
    },
    { id: 'events', name: 'Events', width: '78px', align: 'right', cell: (e) => <span title={bytes(e.historySizeBytes)}>{count(e.historyLength)}</span> },
    { id: 'took', name: 'Duration', width: '104px', align: 'right', cell: (e) => duration((e.closeTime ? millis(e.closeTime) : now.value) - millis(e.startTime)) },
    { id: 'start', name: 'Started', width: '104px', align: 'right', cell: (e) => <Time at={e.startTime} /> },
    { id: 'close', name: 'Closed', width: '104px', align: 'right', cell: (e) => <Time at={e.closeTime} /> },
  ]
  const extra = more.asked === asked ? more : { items: [], next: null }
  const next = extra.items.length ? extra.next : (first.data?.next ?? null)
  return (
    <Page title="Executions" lead="Each job is one execution; so is every other workflow. Its history is kept, event by event.">
      {views.length > 0 && (
        <div class="views">
          {views.map((v) => (
            <span key={v.name} class="view">
              <a href={`/executions${v.search}`}>{v.name}</a>
              <button type="button" aria-label={`Forget the view ${v.name}`} onClick={() => keep(views.filter((x) => x !== v))}>
                <X size={12} aria-hidden="true" />
              </button>
            </span>
          ))}
        </div>
      )}
      <Card flush>
        <div class="toolbar">
          <input class="search" type="search" data-search aria-label="Exact workflow id" placeholder="Exact workflow id" value={id} onChange={(e) => setQuery({ id: e.currentTarget.value.trim() })} />
          <label class="choice">
            <select aria-label="Status" value={status} onChange={(e) => setQuery({ status: e.currentTarget.value })}>
              <option value="">Any status</option>
              {kStates.map((s) => (
                <option key={s}>{s}</option>
              ))}
            </select>
          </label>
          <input class="type-box" type="text" aria-label="Workflow type" placeholder="Type" list="types" value={type} onChange={(e) => setQuery({ type: e.currentTarget.value.trim() })} />
          <datalist id="types">
            {[...new Set((first.data?.data ?? []).map((e) => e.type))].map((t) => (
              <option key={t} value={t} />
            ))}
          </datalist>
          {naming === null ? (
            <Button size="small" kind="quiet" icon={Bookmark} onClick={() => setNaming('')} disabled={!asked}>
              Keep this view
            </Button>
          ) : (
            <form
              class="row"
              onSubmit={(e) => {
                e.preventDefault()
                if (naming.trim()) keep([...views.filter((v) => v.name !== naming.trim()), { name: naming.trim(), search: location.search }])
                setNaming(null)
              }}
            >
              <input class="type-box" type="text" aria-label="Name of the view" placeholder="Name of the view" value={naming} onInput={(e) => setNaming(e.currentTarget.value)} autofocus />
              <Button size="small" type="submit">
                Keep
              </Button>
            </form>
          )}
          <span class="tally spread">{total.data ? `${count(total.data.count)} found` : ''}</span>
        </div>
        {asked && (
          <p class="asked">
            <code>{asked}</code>
          </p>
        )}
        <Shown query={first} rows={8}>
          {(page) => (
            <>
              <Table
                label="Executions"
                rows={[...page.data, ...extra.items]}
                columns={columns}
                keyOf={(e) => e.workflowId + e.runId}
                href={(e) => `/executions/${encodeURIComponent(e.workflowId)}?run=${e.runId}`}
                empty={
                  <Empty title="No execution" icon={Workflow} actions={asked ? <Button onClick={() => navigate('/executions')}>Clear the filter</Button> : undefined}>
                    {asked ? 'Nothing matches what you asked for.' : 'Executions appear with the first job.'}
                  </Empty>
                }
              />
              {next && (
                <div class="more">
                  <Button
                    onClick={async () => {
                      const answer = await api.get<List<Execution>>('/v1/workflows', { query: { query: asked, limit: 1000, next } })
                      setMore({ asked, items: [...extra.items, ...answer.data], next: answer.next })
                    }}
                  >
                    Show more
                  </Button>
                </div>
              )}
            </>
          )}
        </Shown>
      </Card>
    </Page>
  )
}
