// What is wrong first, then what runs, then how it went.
import { Cable, FileCode2, Plus, Sparkles } from 'lucide-preact'
import { byConnection, healthOf, isOpen, useConnections, useConnectors, useJobs } from '../api/data'
import type { Connection, JobSummary } from '../api/types'
import { DayChart } from '../parts/bars'
import { Button, Card, Empty, Page, Shown, Status, Time } from '../parts/basics'
import { bytes, count, duration, millis, now, plural, short } from '../parts/format'
import { startDemo } from './demo'
import { useState } from 'preact/hooks'

const kDay = 86_400_000

export function Home() {
  const connections = useConnections()
  const jobs = useJobs()
  if (connections.data?.length === 0) return <FirstRun />
  return (
    <Page title="Home" actions={<Button kind="primary" icon={Plus} href="/connections/new">New connection</Button>}>
      <Shown query={connections}>{(c) => <Shown query={jobs}>{(j) => <Overview connections={c} jobs={j} />}</Shown>}</Shown>
    </Page>
  )
}

function Overview({ connections, jobs }: { connections: Connection[]; jobs: JobSummary[] }) {
  const recent = jobs.filter((j) => now.value - millis(j.startTime) < kDay && j.connectionId)
  const running = jobs.filter((j) => isOpen(j.status))
  const mine = byConnection(jobs)
  const states = connections.map((c) => ({ connection: c, jobs: mine.get(c.connectionId) ?? [], health: healthOf(mine.get(c.connectionId) ?? []) }))
  const unwell = states.filter((s) => s.connection.status === 'active' && (s.health === 'failed' || s.health === 'partial'))
  const healthy = states.filter((s) => s.health === 'healthy').length
  const failed = recent.filter((j) => j.status === 'failed').length
  const rows = recent.reduce((sum, j) => sum + j.rowsSynced, 0)
  const size = recent.reduce((sum, j) => sum + j.bytesSynced, 0)
  return (
    <div class="stack">
      <div class="figures">
        <a class={`figure ${unwell.length ? 'bad' : ''}`} href={unwell.length ? '/connections?health=failed' : '/connections'}>
          <div class="figure-name">Healthy connections</div>
          <div class="figure-value">
            {count(healthy)}
            <span class="of"> of {count(connections.length)}</span>
          </div>
          <div class="figure-more">{unwell.length ? `${plural(unwell.length, 'connection')} failed last` : 'none failed last'}</div>
        </a>
        <a class={`figure ${running.length ? 'busy' : ''}`} href="/jobs?status=running">
          <div class="figure-name">Running now</div>
          <div class="figure-value">{count(running.length)}</div>
          <div class="figure-more">{running.some((j) => j.status === 'pending') ? `${count(running.filter((j) => j.status === 'pending').length)} waiting` : 'jobs'}</div>
        </a>
        <a class="figure" href="/jobs">
          <div class="figure-name">Rows, last 24 h</div>
          <div class="figure-value" title={count(rows)}>
            {short(rows)}
          </div>
          <div class="figure-more">{bytes(size)} moved</div>
        </a>
        <a class={`figure ${failed ? 'bad' : ''}`} href="/jobs?status=failed">
          <div class="figure-name">Failed jobs, last 24 h</div>
          <div class="figure-value">{count(failed)}</div>
          <div class="figure-more">of {plural(recent.length, 'job')}</div>
        </a>
      </div>
      <div class="columns">
        <div class="stack">
          <Card title="Needs attention" flush>
            {unwell.length === 0 ? (
              <Empty title="Nothing needs you" icon={Sparkles}>
                Each active connection's last job went well.
              </Empty>
            ) : (
              <ul class="list">
                {unwell.slice(0, 12).map(({ connection, jobs: own, health }) => {
                  const last = own.find((j) => !isOpen(j.status))!
                  return (
                    <li key={connection.connectionId} class="attention">
                      <div class="row">
                        <a class="strong" href={`/connections/${connection.connectionId}`}>
                          {connection.name}
                        </a>
                        <Status status={health} />
                        <span class="muted spread">
                          <Time at={last.lastUpdatedAt} />
                        </span>
                      </div>
                      <p class="cause">{last.failure?.message ?? 'Some streams are not complete.'}</p>
                      {last.failure?.remedy && <p class="hint">{last.failure.remedy}</p>}
                      <div class="row">
                        <a href={`/jobs/${last.jobId}`}>Job {last.jobId}</a>
                        {last.failure?.code && (
                          <a class="code-link" href={`/help/errors/${last.failure.code}`}>
                            {last.failure.code}
                          </a>
                        )}
                      </div>
                    </li>
                  )
                })}
              </ul>
            )}
          </Card>
          <Card title="Running" flush>
            {running.length === 0 ? (
              <Empty title="Nothing runs">Jobs that run show their rows here as they come.</Empty>
            ) : (
              <ul class="list">
                {running.slice(0, 12).map((j) => (
                  <li key={j.jobId} class="running">
                    <a class="strong ellipsis" href={`/jobs/${j.jobId}`}>
                      {j.connectionName ?? `${j.jobType} ${j.jobId}`}
                    </a>
                    <Status status={j.status} />
                    <span class="num right">{plural(j.rowsSynced, 'row')}</span>
                    <span class="num muted right">{duration(now.value - millis(j.startTime))}</span>
                  </li>
                ))}
              </ul>
            )}
          </Card>
        </div>
        <div class="stack">
          <Card title="Last 24 hours">
            <DayChart jobs={recent} until={now.value} />
            <p class="legend">
              <i class="good" /> went well or runs <i class="bad" /> failed
            </p>
          </Card>
          <Card title="Latest jobs" flush actions={<a href="/jobs">All jobs</a>}>
            <ul class="list">
              {jobs.slice(0, 8).map((j) => (
                <li key={j.jobId} class="latest">
                  <Status status={j.status} label=" " />
                  <a class="ellipsis" href={`/jobs/${j.jobId}`}>
                    {j.connectionName ?? j.jobType}
                  </a>
                  <span class="muted nowrap">
                    <Time at={j.startTime} />
                  </span>
                </li>
              ))}
            </ul>
          </Card>
        </div>
      </div>
    </div>
  )
}

// An empty server: three ways on.
function FirstRun() {
  const connectors = useConnectors()
  const [busy, setBusy] = useState(false)
  const target = connectors.data?.find((c) => c.name === 'sqlite' && c.destination)
  const demo = Boolean(target && connectors.data?.some((c) => c.name === 'datagen'))
  return (
    <Page title="Welcome to Millrace" lead="Nothing is set up yet. There are three ways on.">
      <div class="ways">
        <section class="way">
          <span class="tile-icon">
            <Cable size={18} aria-hidden="true" />
          </span>
          <h2>Connect two systems</h2>
          <p>Pick a source and a destination, choose streams, and watch the first rows arrive. Each step is checked before you go on.</p>
          <Button kind="primary" href="/connections/new">
            Start the wizard
          </Button>
        </section>
        <section class="way">
          <span class="tile-icon">
            <Sparkles size={18} aria-hidden="true" />
          </span>
          <h2>Look around with made-up data</h2>
          {demo ? (
            <>
              <p>One click makes a source that generates rows and a SQLite file to load them into, and starts the first sync.</p>
              <Button
                busy={busy}
                onClick={async () => {
                  setBusy(true)
                  await startDemo()
                  setBusy(false)
                }}
              >
                Run the demo
              </Button>
            </>
          ) : (
            <>
              <p>The connector Datagen generates rows, so only a destination is needed: an empty Postgres database of yours will do.</p>
              <Button href="/connections/new?source=datagen">Begin with generated rows</Button>
            </>
          )}
        </section>
        <section class="way">
          <span class="tile-icon">
            <FileCode2 size={18} aria-hidden="true" />
          </span>
          <h2>Apply a file</h2>
          <p>Sources, destinations and connections as YAML, from a repository or from another server's export. You see the plan first.</p>
          <Button href="/apply">Paste YAML</Button>
        </section>
      </div>
    </Page>
  )
}
