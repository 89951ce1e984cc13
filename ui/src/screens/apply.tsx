// Configuration as code in the browser: paste YAML, see the plan, apply it. And the way back: what is here as YAML.
import { useState } from 'preact/hooks'
import { api, type Problem } from '../api/client'
import { invalidate, useQuery } from '../api/query'
import { Button, Card, Destroy, Empty, Page, ProblemBox, Shown, Tag } from '../parts/basics'
import { plural } from '../parts/format'
import { Yaml } from '../parts/yaml'
import { say } from '../parts/toast'

interface Change {
  action: 'create' | 'update' | 'delete' | 'none'
  kind: string
  name: string
  diff: { path: string; before: unknown; after: unknown }[]
}
interface Plan {
  changes: Change[]
  destructive: boolean
}

async function parse(text: string): Promise<unknown[]> {
  const { parseAllDocuments } = await import('yaml')
  const documents: unknown[] = []
  for (const d of parseAllDocuments(text)) {
    if ('errors' in d && d.errors.length > 0) throw new Error(d.errors[0].message)
    const value = (d as any).toJS?.()
    if (Array.isArray(value)) documents.push(...value)
    else if (value) documents.push(value)
  }
  return documents
}

export function Apply() {
  const [text, setText] = useState('')
  const [prune, setPrune] = useState(false)
  const [plan, setPlan] = useState<{ documents: unknown[]; plan: Plan } | null>(null)
  const [problem, setProblem] = useState<Partial<Problem> | null>(null)
  const [busy, setBusy] = useState(false)
  const [asking, setAsking] = useState(false)
  const present = useQuery('export', () => api.get<any>('/v1/export'))
  const look = async () => {
    setBusy(true)
    setProblem(null)
    setPlan(null)
    try {
      const documents = await parse(text)
      setPlan({ documents, plan: await api.post<Plan>('/v1/plan', { body: { documents, prune } }) })
    } catch (cause) {
      setProblem((cause as Problem).code ? (cause as Problem) : { title: 'this is no YAML', detail: (cause as Error).message })
    } finally {
      setBusy(false)
    }
  }
  const apply = async () => {
    await api.post('/v1/apply', { body: { documents: plan!.documents, prune } })
    invalidate('connections', 'sources', 'destinations', 'export')
    say('Applied')
    setPlan(null)
    setText('')
  }
  const changes = plan?.plan.changes.filter((c) => c.action !== 'none') ?? []
  return (
    <Page title="Apply YAML" lead="Sources, destinations and connections as files. You see what would change before anything does.">
      <div class="stack">
        <Card title="Resource files">
          <div class="stack">
            <label class="field">
              <span class="hidden">YAML</span>
              <textarea
                class="code"
                rows={14}
                spellcheck={false}
                aria-label="YAML"
                placeholder={'apiVersion: millrace/v1\nkind: Source\nmetadata: {name: shop}\nspec:\n  connector: postgres\n  configuration:\n    host: db.internal\n    …'}
                value={text}
                onInput={(e) => {
                  setText(e.currentTarget.value)
                  setPlan(null)
                }}
              />
            </label>
            <div class="row">
              <label class="button">
                Open a file
                <input
                  type="file"
                  class="hidden"
                  accept=".yaml,.yml,.json"
                  onChange={async (e) => {
                    const files = [...(e.currentTarget.files ?? [])]
                    setText((await Promise.all(files.map((f) => f.text()))).join('\n---\n'))
                    setPlan(null)
                  }}
                />
              </label>
              <label class="check">
                <input type="checkbox" checked={prune} onChange={(e) => (setPrune(e.currentTarget.checked), setPlan(null))} />
                <span>Delete what the files do not name</span>
              </label>
              <span class="spread">
                <Button kind={plan ? 'plain' : 'primary'} busy={busy} disabled={!text.trim()} onClick={look}>
                  Show the plan
                </Button>
              </span>
            </div>
            {problem && <ProblemBox problem={problem} />}
          </div>
        </Card>
        {plan && (
          <Card
            flush
            title="Plan"
            actions={
              changes.length > 0 && (
                <Button
                  kind={plan.plan.destructive ? 'danger' : 'primary'}
                  onClick={async () => {
                    if (plan.plan.destructive) setAsking(true)
                    else await apply().catch((cause) => setProblem(cause as Problem))
                  }}
                >
                  Apply {plural(changes.length, 'change')}
                </Button>
              )
            }
          >
            {changes.length === 0 ? (
              <Empty title="Nothing would change">What is here is equal to the files.</Empty>
            ) : (
              <ul class="list">
                {changes.map((c) => (
                  <li key={c.kind + c.name}>
                    <div class="row">
                      <Tag tone={c.action === 'create' ? 'good' : c.action === 'delete' ? 'bad' : 'warn'}>{c.action}</Tag>
                      <span class="muted">{c.kind}</span>
                      <strong>{c.name}</strong>
                    </div>
                    {c.action === 'update' && (
                      <ul class="diff">
                        {c.diff.map((d) => (
                          <li key={d.path}>
                            <code>{d.path}</code> <del>{JSON.stringify(d.before) ?? '–'}</del> → <ins>{JSON.stringify(d.after) ?? '–'}</ins>
                          </li>
                        ))}
                      </ul>
                    )}
                  </li>
                ))}
              </ul>
            )}
          </Card>
        )}
        <Card title="What is here now, as files">
          <Shown query={present}>
            {(all) => {
              const documents: unknown[] = Array.isArray(all) ? all : (all.documents ?? all.data ?? [])
              return documents.length ? <Yaml documents={documents} /> : <p class="muted">Nothing yet.</p>
            }}
          </Shown>
        </Card>
      </div>
      {asking && plan && (
        <Destroy title="Apply a plan that deletes?" name="delete" verb="Apply" onClose={() => setAsking(false)} act={apply}>
          <p>These go, with their configuration and state; tables at destinations stay:</p>
          <ul>
            {changes
              .filter((c) => c.action === 'delete')
              .map((c) => (
                <li key={c.kind + c.name}>
                  {c.kind} <strong>{c.name}</strong>
                </li>
              ))}
          </ul>
        </Destroy>
      )}
    </Page>
  )
}
