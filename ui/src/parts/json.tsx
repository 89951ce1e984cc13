// JSON to look at: folded where it is deep, coloured, to be copied whole.
import { useState } from 'preact/hooks'
import { CopyButton } from './basics'

export function Json({ value, open = 2, label = 'Copy JSON' }: { value: unknown; open?: number; label?: string }) {
  return (
    <div class="json">
      <div class="json-copy">
        <CopyButton text={JSON.stringify(value, null, 2) ?? 'null'} label={label} />
      </div>
      <div class="json-tree" tabIndex={0} role="region" aria-label="JSON">
        <Node value={value} depth={0} open={open} />
      </div>
    </div>
  )
}

function Node({ name, value, depth, open, comma }: { name?: string; value: unknown; depth: number; open: number; comma?: boolean }) {
  const [shown, setShown] = useState(depth < open)
  const key = name !== undefined && (
    <>
      <span class="json-key">{JSON.stringify(name)}</span>:{' '}
    </>
  )
  if (value === null || typeof value !== 'object') {
    const kind = value === null ? 'null' : typeof value
    return (
      <div class="json-line">
        {key}
        <span class={`json-${kind}`}>{JSON.stringify(value) ?? 'null'}</span>
        {comma && ','}
      </div>
    )
  }
  const list = Array.isArray(value)
  const entries = Object.entries(value)
  const [a, b] = list ? '[]' : '{}'
  if (entries.length === 0) {
    return (
      <div class="json-line">
        {key}
        {a + b}
        {comma && ','}
      </div>
    )
  }
  return (
    <div>
      <div class="json-line">
        <button type="button" class="json-fold" aria-expanded={shown} aria-label={(shown ? 'Fold ' : 'Unfold ') + (name ?? 'value')} onClick={() => setShown(!shown)}>
          {shown ? '▾' : '▸'}
        </button>
        {key}
        {a}
        {!shown && (
          <span class="muted">
            {' '}
            {entries.length} {b}
          </span>
        )}
      </div>
      {shown && (
        <>
          <div class="json-inner">
            {entries.map(([k, v], i) => (
              <Node key={k} name={list ? undefined : k} value={v} depth={depth + 1} open={open} comma={i < entries.length - 1} />
            ))}
          </div>
          <div class="json-line">
            {b}
            {comma && ','}
          </div>
        </>
      )}
    </div>
  )
}
