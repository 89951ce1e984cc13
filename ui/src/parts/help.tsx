import { signal } from '@preact/signals'
import { Dialog } from './basics'
import { kGoto } from './keys'
import { utc } from './format'

export const helpOpen = signal(false)

export function Help() {
  if (!helpOpen.value) return null
  const keys: [string[], string][] = [
    [['Ctrl', 'K'], 'Find or do something'],
    [['/'], 'Search this page'],
    [['?'], 'This list'],
    ...kGoto.map(([key, , text]): [string[], string] => [['g', key], text]),
  ]
  return (
    <Dialog title="Keyboard shortcuts" onClose={() => (helpOpen.value = false)}>
      <dl class="keys">
        {keys.map(([combo, text]) => (
          <div key={text}>
            <dt>{text}</dt>
            <dd>
              {combo.map((k) => (
                <kbd key={k}>{k}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
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
    </Dialog>
  )
}
