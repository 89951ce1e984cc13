// A test of a source or destination, in the server's own words and with its remedy.
import { LoaderCircle, PlugZap } from 'lucide-preact'
import { useState } from 'preact/hooks'
import { api, type Problem } from '../api/client'
import type { CheckResult } from '../api/types'
import { Button, ProblemBox, Status } from './basics'

export function useCheck() {
  const [result, setResult] = useState<CheckResult | null>(null)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [busy, setBusy] = useState(false)
  const run = async (kind: 'sources' | 'destinations', id: string): Promise<boolean> => {
    setBusy(true)
    setResult(null)
    setProblem(null)
    try {
      const answer = await api.post<CheckResult>(`/v1/${kind}/{id}/check`, { path: { id } })
      setResult(answer)
      return answer.status === 'succeeded'
    } catch (cause) {
      setProblem(cause as Problem)
      return false
    } finally {
      setBusy(false)
    }
  }
  return { result, problem, busy, run }
}

export function CheckAnswer({ check }: { check: ReturnType<typeof useCheck> }) {
  if (check.busy)
    return (
      <p class="notice" role="status">
        <LoaderCircle size={14} class="spin" aria-hidden="true" /> Testing from the server…
      </p>
    )
  if (check.problem) return <ProblemBox problem={check.problem} />
  if (!check.result) return null
  if (check.result.status === 'succeeded')
    return (
      <p class="notice good" role="status">
        <Status status="succeeded" label="It works" /> The server reached it and may use it. <a href={`/jobs/${check.result.jobId}`}>Job {check.result.jobId}</a>
      </p>
    )
  return (
    <div class="stack">
      <ProblemBox problem={{ title: 'The test failed', code: check.result.code ?? '', message: check.result.message ?? '', remedy: check.result.remedy ?? '' }} />
      <p class="hint">
        Looked at in <a href={`/jobs/${check.result.jobId}`}>job {check.result.jobId}</a>.
      </p>
    </div>
  )
}

export function TestButton({ check, kind, id }: { check: ReturnType<typeof useCheck>; kind: 'sources' | 'destinations'; id: string }) {
  return (
    <Button icon={PlugZap} busy={check.busy} onClick={() => void check.run(kind, id)}>
      Test
    </Button>
  )
}
