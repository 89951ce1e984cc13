import { useState } from 'preact/hooks'
import { KeyRound, Plus } from 'lucide-preact'
import { api, type List, type Problem } from '../api/client'
import { useQuery } from '../api/query'
import { Button, Card, CopyButton, Destroy, Dialog, Empty, Facts, Page, ProblemBox, Shown, Status, Tabs, Tag, Time } from '../parts/basics'
import { count, plural, utc } from '../parts/format'
import { Table } from '../parts/table'
import { say } from '../parts/toast'
import { who } from '../session'
import { theme, type Theme } from '../theme'

export function SettingsScreen({ tab = 'general' }: { tab?: string }) {
  const names: Record<string, string> = { general: 'General', tokens: 'Tokens', queues: 'Queues', health: 'Health', metrics: 'Metrics' }
  return (
    <Page title="Settings">
      <Tabs current={tab} tabs={Object.entries(names).map(([id, text]) => [id, text, id === 'general' ? '/settings' : `/settings/${id}`])} />
      {tab === 'tokens' ? <Tokens /> : tab === 'queues' ? <Queues /> : tab === 'health' ? <Health /> : tab === 'metrics' ? <Metrics /> : <General />}
    </Page>
  )
}

function General() {
  return (
    <div class="stack">
      <Card title="This server">
        <Facts
          items={[
            ['Version', who.value?.version ?? '–'],
            ['Address', location.origin],
            ['You are', who.value?.noAuth ? 'everybody: the server runs with --no-auth' : `${who.value?.name}, scope ${who.value?.scope}`],
            ['Metrics', <a href="/metrics">/metrics</a>],
            ['Telemetry', 'none: this server and this page speak to nobody but you'],
          ]}
        />
      </Card>
      <Card title="This browser">
        <div class="form">
          <label class="field inline">
            <span class="field-label">Theme</span>
            <select value={theme.value} onChange={(e) => (theme.value = e.currentTarget.value as Theme)}>
              <option value="system">As the system</option>
              <option value="light">Light</option>
              <option value="dark">Dark</option>
            </select>
          </label>
          <label class="check">
            <input
              type="checkbox"
              checked={utc.value}
              onChange={(e) => {
                utc.value = e.currentTarget.checked
                localStorage.setItem('millrace.utc', utc.value ? '1' : '0')
              }}
            />
            <span>Show exact times in UTC</span>
          </label>
        </div>
      </Card>
    </div>
  )
}

interface Token {
  tokenId: string
  name: string
  scope: string
  createdAt: string
  expiresAt: string | null
  token?: string
}
const kScopes: [string, string][] = [
  ['admin', 'everything'],
  ['read', 'look at everything, change nothing'],
  ['metrics', 'only /metrics'],
  ['worker', 'only take and complete steps of queues'],
]

function Tokens() {
  const tokens = useQuery('tokens', async () => (await api.get<List<Token>>('/v1/tokens')).data)
  const [making, setMaking] = useState(false)
  const [revoking, setRevoking] = useState<Token | null>(null)
  const add = (
    <Button kind="primary" icon={Plus} onClick={() => setMaking(true)}>
      New token
    </Button>
  )
  return (
    <Card title="Tokens" actions={add} flush>
      <Shown query={tokens}>
        {(all) => (
          <Table
            label="Tokens"
            rows={all}
            keyOf={(t) => t.tokenId}
            empty={
              <Empty title="No further token" icon={KeyRound}>
                The first one is in the file <code>token</code> of the data directory. Give each program one of its own, with no more scope than it needs.
              </Empty>
            }
            columns={[
              { id: 'name', name: 'Name', width: '2fr', narrow: true, cell: (t) => <span class="strong">{t.name}</span> },
              { id: 'scope', name: 'Scope', width: '100px', cell: (t) => <Tag>{t.scope}</Tag> },
              { id: 'made', name: 'Made', width: '120px', cell: (t) => <Time at={t.createdAt} /> },
              { id: 'ends', name: 'Ends', width: '120px', cell: (t) => <Time at={t.expiresAt} empty="never" /> },
              {
                id: 'act',
                name: '',
                width: '90px',
                align: 'right',
                narrow: true,
                cell: (t) => (
                  <Button size="small" kind="danger" onClick={() => setRevoking(t)}>
                    Revoke
                  </Button>
                ),
              },
            ]}
          />
        )}
      </Shown>
      {making && <NewToken onClose={() => setMaking(false)} made={tokens.reload} />}
      {revoking && (
        <Destroy
          title={`Revoke ${revoking.name}?`}
          name={revoking.name}
          verb="Revoke"
          onClose={() => setRevoking(null)}
          act={async () => {
            await api.delete('/v1/tokens/{id}', { path: { id: revoking.tokenId } })
            tokens.reload()
            say('Revoked')
          }}
        >
          <p>Whoever uses it is refused from now on, and so are sessions that were opened with it.</p>
        </Destroy>
      )}
    </Card>
  )
}

function NewToken({ onClose, made }: { onClose: () => void; made: () => void }) {
  const [name, setName] = useState('')
  const [scope, setScope] = useState('read')
  const [days, setDays] = useState('')
  const [done, setDone] = useState<Token | null>(null)
  const [problem, setProblem] = useState<Problem | null>(null)
  if (done)
    return (
      <Dialog title="The new token" onClose={onClose}>
        <div class="dialog-text">
          <p>It is shown this once; only its hash is kept.</p>
        </div>
        <p class="row token">
          <code>{done.token}</code>
          <CopyButton text={done.token!} label="Copy the token" />
        </p>
        <div class="dialog-foot">
          <Button kind="primary" onClick={onClose}>
            I have it
          </Button>
        </div>
      </Dialog>
    )
  return (
    <Dialog title="New token" onClose={onClose}>
      <form
        onSubmit={async (e) => {
          e.preventDefault()
          try {
            const ends = days ? { expiresAt: new Date(Date.now() + Number(days) * 86_400_000).toISOString() } : {}
            setDone(await api.post<Token>('/v1/tokens', { body: { name, scope, ...ends } }))
            made()
          } catch (cause) {
            setProblem(cause as Problem)
          }
        }}
      >
        <label class="field">
          <span class="field-label">Name</span>
          <input type="text" required value={name} onInput={(e) => setName(e.currentTarget.value)} placeholder="ci" autofocus />
        </label>
        <fieldset class="field">
          <legend class="field-label">May</legend>
          <div class="stack tight">
            {kScopes.map(([id, text]) => (
              <label class="check" key={id}>
                <input type="radio" name="scope" checked={scope === id} onChange={() => setScope(id)} />
                <span>
                  <strong>{id}</strong> <span class="muted">{text}</span>
                </span>
              </label>
            ))}
          </div>
        </fieldset>
        <label class="field">
          <span class="field-label">
            Ends after days <span class="muted">empty: never</span>
          </span>
          <input type="number" min={1} value={days} onInput={(e) => setDays(e.currentTarget.value)} />
        </label>
        {problem && <ProblemBox problem={problem} />}
        <div class="dialog-foot">
          <Button onClick={onClose}>Close</Button>
          <Button kind="primary" type="submit">
            Make it
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

interface Queue {
  name: string
  concurrency: number | null
  ratePerSecond: number | null
  running: number
  waiting: number
  waitingForWorkers: number
  pollers: number
  waitingSince: string | null
}

function Queues() {
  const queues = useQuery('queues', async () => (await api.get<List<Queue>>('/v1/queues')).data)
  return (
    <Card title="Queues" flush actions={<Button size="small" onClick={queues.reload}>Look again</Button>}>
      <Shown query={queues}>
        {(all) => (
          <Table
            label="Queues"
            rows={all}
            keyOf={(q) => q.name}
            empty={<Empty title="No queue is in use" />}
            columns={[
              { id: 'name', name: 'Queue', width: '2fr', narrow: true, cell: (q) => <span class="strong">{q.name}</span> },
              { id: 'running', name: 'Running', width: '100px', align: 'right', cell: (q) => count(q.running) },
              { id: 'waiting', name: 'Waiting', width: '100px', align: 'right', narrow: true, cell: (q) => count(q.waiting) },
              { id: 'since', name: 'Longest wait since', width: '150px', cell: (q) => <Time at={q.waitingSince} /> },
              { id: 'limit', name: 'At once', width: '100px', align: 'right', cell: (q) => (q.concurrency === null ? 'no bound' : count(q.concurrency)) },
              { id: 'rate', name: 'Per second', width: '100px', align: 'right', cell: (q) => (q.ratePerSecond === null ? 'no bound' : count(q.ratePerSecond)) },
              { id: 'pollers', name: 'Workers', width: '90px', align: 'right', cell: (q) => count(q.pollers) },
            ]}
          />
        )}
      </Shown>
    </Card>
  )
}

function Health() {
  const ready = useQuery('readyz', async () => {
    const response = await fetch('/readyz?verbose')
    return { ok: response.ok, lines: (await response.text()).trim().split('\n') }
  })
  const [report, setReport] = useState<any>(null)
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [directory, setDirectory] = useState('')
  const [backup, setBackup] = useState<any>(null)
  const [backingUp, setBackingUp] = useState(false)
  const [backupProblem, setBackupProblem] = useState<Problem | null>(null)
  return (
    <div class="stack">
      <Card title="Ready">
        <Shown query={ready} rows={2}>
          {(r) => (
            <div class="stack tight">
              <Status status={r.ok ? 'healthy' : 'failed'} label={r.ok ? 'Takes work' : 'Does not take work'} />
              <pre class="muted">{r.lines.join('\n')}</pre>
            </div>
          )}
        </Shown>
      </Card>
      <Card
        title="Doctor"
        actions={
          <Button
            size="small"
            busy={busy}
            onClick={async () => {
              setBusy(true)
              setProblem(null)
              try {
                setReport(await api.get('/v1/doctor'))
              } catch (cause) {
                setProblem(cause as Problem)
              } finally {
                setBusy(false)
              }
            }}
          >
            Examine the store
          </Button>
        }
      >
        {problem && <ProblemBox problem={problem} />}
        {report ? (
          <div class="stack">
            <p>
              <Status status={report.faultCount === 0 ? 'healthy' : 'failed'} label={report.faultCount === 0 ? 'Holds together' : plural(report.faultCount, 'fault')} /> <span class="muted">{report.summary}</span>
            </p>
            {report.faults.length > 0 && (
              <ul class="list bordered">
                {report.faults.map((f: any, i: number) => (
                  <li key={i}>
                    <code>{f.check}</code> <a href={`/executions/${encodeURIComponent(f.workflowId)}`}>{f.workflowId}</a> {f.detail}
                  </li>
                ))}
              </ul>
            )}
          </div>
        ) : (
          <p class="muted">Reads each execution's history and rows and looks at whether they fit together. It changes nothing.</p>
        )}
      </Card>
      <Card title="Backup">
        <form
          class="form"
          onSubmit={async (e) => {
            e.preventDefault()
            setBackingUp(true)
            setBackup(null)
            setBackupProblem(null)
            try {
              setBackup(await api.post('/v1/backups', { body: { directory } }))
            } catch (cause) {
              setBackupProblem(cause as Problem)
            } finally {
              setBackingUp(false)
            }
          }}
        >
          <label class="field">
            <span class="field-label">Directory on the server's host</span>
            <input type="text" required pattern="/.*" placeholder="/var/backups/millrace" value={directory} onInput={(e) => setDirectory(e.currentTarget.value)} />
            <span class="hint">Absolute. The key of the stored secrets stays out of it: keep a copy of that elsewhere.</span>
          </label>
          {backupProblem && <ProblemBox problem={backupProblem} />}
          {backup && (
            <p class="notice good" role="status">
              <Status status="succeeded" label="Made" /> Backup {backup.backupId} in <code>{backup.directory}</code>, {plural(backup.files, 'file')}.
            </p>
          )}
          <div class="form-foot">
            <Button type="submit" busy={backingUp}>
              Back up now
            </Button>
          </div>
        </form>
      </Card>
    </div>
  )
}

// The text format has each metric's meaning beside it.
function Metrics() {
  const metrics = useQuery('metrics', async () => parseMetrics(await (await fetch('/metrics')).text()))
  return (
    <Card title="Metrics" flush actions={<a href="/metrics">As Prometheus reads them</a>}>
      <Shown query={metrics}>
        {(all) => (
          <ul class="list metrics">
            {all.map((m) => (
              <li key={m.name}>
                <div class="row">
                  <code>{m.name}</code>
                  <Tag>{m.type}</Tag>
                  <span class="spread num">{m.samples.length === 1 ? m.samples[0].value : plural(m.samples.length, 'series', 'series')}</span>
                </div>
                <p class="hint">{m.help}</p>
              </li>
            ))}
          </ul>
        )}
      </Shown>
    </Card>
  )
}

interface Metric {
  name: string
  help: string
  type: string
  samples: { labels: string; value: string }[]
}
function parseMetrics(text: string): Metric[] {
  const all: Metric[] = []
  for (const line of text.split('\n')) {
    const head = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line)
    if (head) {
      let m = all.find((x) => x.name === head[2])
      if (!m) all.push((m = { name: head[2], help: '', type: '', samples: [] }))
      if (head[1] === 'HELP') m.help = head[3]
      else m.type = head[3]
    } else if (line && !/_bucket[{ ]/.test(line)) {
      const sample = /^([a-zA-Z_:]\w*)(\{[^}]*\})? (\S+)/.exec(line)
      const last = all[all.length - 1]
      if (sample && last && (sample[1] === last.name || sample[1].startsWith(last.name + '_'))) last.samples.push({ labels: sample[2] ?? '', value: sample[3] })
    }
  }
  return all.sort((a, b) => (a.name < b.name ? -1 : 1))
}
