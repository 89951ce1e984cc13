// Who is looking. A session is a cookie that scripts can't read; the banner's link makes one, once.
import { signal } from '@preact/signals'
import { api, session } from './api/client'

export interface Session {
  authenticated: boolean
  name: string
  scope: string
  noAuth: boolean
  version: string
}
export const who = signal<Session | null>(null)

export async function loadSession(): Promise<void> {
  const found = await api.get<Session>('/v1/session')
  who.value = found
  session.value = found.authenticated ? 'in' : 'out'
}

export async function logIn(proof: { code: string } | { token: string }): Promise<void> {
  const found = await api.post<Session>('/v1/session', { body: proof })
  who.value = found
  session.value = 'in'
}

export async function logOut(): Promise<void> {
  await api.delete('/v1/session')
  who.value = null
  session.value = 'out'
}
