// The same thing as a resource file. The library comes with the first screen that needs it.
import { useEffect, useState } from 'preact/hooks'
import { CopyButton, Loading } from './basics'

export function Yaml({ documents }: { documents: unknown[] }) {
  const [text, setText] = useState<string | null>(null)
  const key = JSON.stringify(documents)
  useEffect(() => {
    let on = true
    void import('yaml').then(({ stringify }) => on && setText(documents.map((d) => stringify(d, { lineWidth: 120 })).join('---\n')))
    return () => {
      on = false
    }
  }, [key])
  if (text === null) return <Loading rows={4} />
  return (
    <div class="json">
      <div class="json-copy">
        <CopyButton text={text} label="Copy YAML" />
      </div>
      <pre class="yaml" tabIndex={0} role="region" aria-label="YAML">
        {text}
      </pre>
    </div>
  )
}
