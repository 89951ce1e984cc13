import { useEffect, useState } from 'preact/hooks'
import type { Problem } from '../api/client'
import icon from '../icon.svg'
import { Button, ProblemBox } from '../parts/basics'
import { navigate, place } from '../router'
import { logIn } from '../session'

export function Login() {
  const [token, setToken] = useState('')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const enter = async (proof: { code: string } | { token: string }) => {
    setBusy(true)
    setProblem(null)
    try {
      await logIn(proof)
      if (location.pathname === '/login') navigate('/', { replace: true })
    } catch (cause) {
      setProblem(cause as Problem)
    } finally {
      setBusy(false)
    }
  }
  useEffect(() => {
    document.title = 'Log in · Millrace'
    // The code stands behind the #, which browsers send to nobody; it works once.
    const code = new URLSearchParams(place.value.hash.slice(1)).get('code')
    if (!code) return
    history.replaceState(null, '', location.pathname)
    void enter({ code })
  }, [])
  return (
    <main id="main" class="login">
      <div class="login-box">
        <img src={icon} alt="" width="44" height="44" />
        <h1>Log in to Millrace</h1>
        <p class="muted">
          Open the link that the server printed when it started. Or make a new one on its host with <code>millrace token link</code>, or paste a token.
        </p>
        {problem && <ProblemBox problem={problem} />}
        <form
          onSubmit={(e) => {
            e.preventDefault()
            if (token.trim()) void enter({ token: token.trim() })
          }}
        >
          <label class="field">
            <span class="field-label">Token</span>
            <input type="password" autocomplete="current-password" value={token} onInput={(e) => setToken(e.currentTarget.value)} />
            <span class="hint">
              The first one is in the file <code>token</code> of the server's data directory.
            </span>
          </label>
          <Button kind="primary" type="submit" busy={busy}>
            Log in
          </Button>
        </form>
      </div>
    </main>
  )
}
