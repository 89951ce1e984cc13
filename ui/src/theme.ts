// Light, dark, or as the system says. The choice stays in this browser.
import { effect, signal } from '@preact/signals'

export type Theme = 'light' | 'dark' | 'system'
const stored = localStorage.getItem('millrace.theme')
export const theme = signal<Theme>(stored === 'light' || stored === 'dark' ? stored : 'system')
const dark = matchMedia('(prefers-color-scheme: dark)')
const systemDark = signal(dark.matches)

export function startTheme(): void {
  dark.addEventListener('change', (e) => (systemDark.value = e.matches))
  effect(() => {
    const t = theme.value
    document.documentElement.dataset.theme = t === 'system' ? (systemDark.value ? 'dark' : 'light') : t
    if (t === 'system') localStorage.removeItem('millrace.theme')
    else localStorage.setItem('millrace.theme', t)
  })
}
export const isDark = () => (theme.value === 'system' ? systemDark.value : theme.value === 'dark')
