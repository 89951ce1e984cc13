// Choosing streams: which, how they are read and written, by which key, which fields. Many at once, too.
import { useState } from 'preact/hooks'
import { ChevronRight } from 'lucide-preact'
import type { CatalogStream, StreamConfig } from '../api/types'
import { Tag } from './basics'
import { bytes, count, modeName, plural, streamName } from './format'

export const kDefaultMode = 'full_refresh_overwrite'

const sameName = (s: StreamConfig, c: CatalogStream) => s.name === c.name && (s.namespace ?? '') === (c.namespace ?? '')
const glob = (pattern: string, text: string) => new RegExp('^' + pattern.split('*').map((p) => p.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*') + '$').test(text)

// What the entries of a connection say about the streams that there are; a later entry beats an earlier one.
export function resolve(entries: StreamConfig[] | undefined, catalog: CatalogStream[]): StreamConfig[] {
  if (!entries || entries.length === 0) return catalog.map((c) => withDefaults({ namespace: c.namespace, name: c.name }, c))
  const chosen: StreamConfig[] = []
  for (const c of catalog) {
    const hit = [...entries].reverse().find((e) => sameName(e, c) || (e.name.includes('*') && glob(e.name, c.name) && (e.namespace === undefined || e.namespace === (c.namespace ?? ''))))
    if (hit) chosen.push(withDefaults({ ...hit, name: c.name, namespace: c.namespace }, c))
  }
  return chosen
}

function withDefaults(s: StreamConfig, c: CatalogStream): StreamConfig {
  const mode = s.syncMode ?? kDefaultMode
  return {
    ...s,
    syncMode: mode,
    ...(needsKey(mode) ? { primaryKey: s.primaryKey ?? c.source_defined_primary_key } : {}),
    ...(needsCursor(mode) ? { cursorField: s.cursorField ?? (c.default_cursor_field.length ? c.default_cursor_field : c.millrace.cursorCandidates.slice(0, 1)) } : {}),
  }
}

export const needsKey = (mode: string) => mode.includes('dedup')
export const needsCursor = (mode: string) => mode.startsWith('incremental')

// As the API takes it: without what a mode does not use.
export function toConfig(s: StreamConfig): StreamConfig {
  const mode = s.syncMode ?? kDefaultMode
  const out: StreamConfig = { ...(s.namespace ? { namespace: s.namespace } : {}), name: s.name, syncMode: mode }
  if (needsKey(mode) && s.primaryKey?.length) out.primaryKey = s.primaryKey
  if (needsCursor(mode) && s.cursorField?.length) out.cursorField = s.cursorField
  if (s.selectedFields?.length) out.selectedFields = s.selectedFields
  if (s.destinationObjectName) out.destinationObjectName = s.destinationObjectName
  return out
}

// What still lacks, in words; empty: nothing.
export function lacks(s: StreamConfig): string {
  const mode = s.syncMode ?? kDefaultMode
  if (needsKey(mode) && !s.primaryKey?.length) return 'needs a primary key'
  if (needsCursor(mode) && !s.cursorField?.length) return 'needs a cursor'
  return ''
}

export function StreamPicker({ catalog, modes, chosen, onChange }: { catalog: CatalogStream[]; modes: string[]; chosen: StreamConfig[]; onChange: (s: StreamConfig[]) => void }) {
  const [text, setText] = useState('')
  const [open, setOpen] = useState<string | null>(null)
  const shown = catalog.filter((c) => !text || streamName(c).toLowerCase().includes(text.toLowerCase()))
  const byName = new Map(chosen.map((s) => [streamName(s), s]))
  const put = (c: CatalogStream, s: StreamConfig | null) => {
    const rest = chosen.filter((x) => !sameName(x, c))
    onChange(s ? [...rest, s] : rest)
  }
  const modesOf = (c: CatalogStream) => c.millrace.syncModes.filter((m) => modes.includes(m))
  const allShown = shown.length > 0 && shown.every((c) => byName.has(streamName(c)))
  const spaces = [...new Set(shown.map((c) => c.namespace ?? ''))]
  const bulkMode = (mode: string) => {
    const names = new Set(shown.map(streamName))
    onChange(
      chosen.map((s) => {
        const c = catalog.find((x) => sameName(s, x))
        return c && names.has(streamName(s)) && modesOf(c).includes(mode) ? withDefaults({ ...s, syncMode: mode }, c) : s
      }),
    )
  }
  return (
    <div class="picker">
      <div class="toolbar">
        <label class="check">
          <input
            type="checkbox"
            checked={allShown}
            onChange={() => {
              const names = new Set(shown.map(streamName))
              const rest = chosen.filter((s) => !names.has(streamName(s)))
              onChange(allShown ? rest : [...rest, ...shown.map((c) => byName.get(streamName(c)) ?? withDefaults({ name: c.name, namespace: c.namespace }, c))])
            }}
          />
          <span>{text ? 'All found' : 'All'}</span>
        </label>
        <input class="search" type="search" data-search aria-label="Search streams" placeholder="Search streams" value={text} onInput={(e) => setText(e.currentTarget.value)} />
        <label class="choice">
          <select aria-label="Sync mode of all that are shown" value="" onChange={(e) => e.currentTarget.value && bulkMode(e.currentTarget.value)}>
            <option value="">Set the mode of all shown…</option>
            {modes.map((m) => (
              <option key={m} value={m}>
                {modeName(m)}
              </option>
            ))}
          </select>
        </label>
        <span class="tally spread">
          {count(chosen.length)} of {plural(catalog.length, 'stream')}
        </span>
      </div>
      {spaces.map((space) => (
        <section key={space} aria-label={space || 'Streams'}>
          {space && <h3 class="space">{space}</h3>}
          <ul>
            {shown
              .filter((c) => (c.namespace ?? '') === space)
              .map((c) => {
                const name = streamName(c)
                const s = byName.get(name)
                const fault = s ? lacks(s) : ''
                return (
                  <li key={name} class={`pick ${s ? 'on' : ''}`}>
                    <div class="pick-head">
                      <input
                        type="checkbox"
                        aria-label={name}
                        checked={Boolean(s)}
                        onChange={() => put(c, s ? null : withDefaults({ name: c.name, namespace: c.namespace }, c))}
                      />
                      <button type="button" class="pick-name" aria-expanded={open === name} onClick={() => setOpen(open === name ? null : name)}>
                        <ChevronRight size={14} aria-hidden="true" class={open === name ? 'turned' : ''} />
                        <span class="strong ellipsis">{c.name}</span>
                        {c.millrace.isView && <Tag>view</Tag>}
                        <small class="muted nowrap">
                          {plural(c.millrace.fields.length, 'field')}
                          {c.millrace.rowsEstimate !== undefined && c.millrace.rowsEstimate !== null && `, about ${plural(c.millrace.rowsEstimate, 'row')}`}
                          {c.millrace.bytesEstimate ? `, ${bytes(c.millrace.bytesEstimate)}` : ''}
                        </small>
                      </button>
                      {s && (
                        <>
                          {fault && <Tag tone="warn">{fault}</Tag>}
                          <select class="pick-mode" aria-label={`Sync mode of ${name}`} value={s.syncMode} onChange={(e) => put(c, withDefaults({ ...s, syncMode: e.currentTarget.value, primaryKey: undefined, cursorField: undefined }, c))}>
                            {modesOf(c).map((m) => (
                              <option key={m} value={m}>
                                {modeName(m)}
                              </option>
                            ))}
                          </select>
                        </>
                      )}
                    </div>
                    {open === name && <Fields c={c} s={s} put={(x) => put(c, x)} />}
                  </li>
                )
              })}
          </ul>
        </section>
      ))}
      {shown.length === 0 && <p class="log-none">No stream has this name.</p>}
    </div>
  )
}

function Fields({ c, s, put }: { c: CatalogStream; s: StreamConfig | undefined; put: (s: StreamConfig) => void }) {
  const mode = s?.syncMode ?? kDefaultMode
  const keys = new Set((s?.primaryKey ?? []).map((p) => p.join('.')))
  const selected = s?.selectedFields ? new Set(s.selectedFields.map((f) => f.fieldPath.join('.'))) : null
  const fixed = (name: string) => keys.has(name) || s?.cursorField?.[0] === name
  return (
    <div class="pick-fields">
      {s && needsCursor(mode) && (
        <label class="field inline">
          <span class="field-label">Cursor</span>
          <select value={s.cursorField?.[0] ?? ''} onChange={(e) => put({ ...s, cursorField: e.currentTarget.value ? [e.currentTarget.value] : [] })}>
            <option value="">Choose</option>
            {c.millrace.cursorCandidates.map((f) => (
              <option key={f}>{f}</option>
            ))}
          </select>
          <span class="hint">The field that grows with each change; the next job reads from its last value on.</span>
        </label>
      )}
      <table>
        <thead>
          <tr>
            {s && <th>Take</th>}
            {s && needsKey(mode) && <th>Key</th>}
            <th>Field</th>
            <th>Type</th>
            <th>Null</th>
          </tr>
        </thead>
        <tbody>
          {c.millrace.fields.map((f) => (
            <tr key={f.name}>
              {s && (
                <td>
                  <input
                    type="checkbox"
                    aria-label={`Take ${f.name}`}
                    checked={!selected || selected.has(f.name)}
                    disabled={fixed(f.name)}
                    onChange={(e) => {
                      const now = new Set(selected ?? c.millrace.fields.map((x) => x.name))
                      if (e.currentTarget.checked) now.add(f.name)
                      else now.delete(f.name)
                      const { selectedFields: _, ...rest } = s
                      put(now.size === c.millrace.fields.length ? rest : { ...rest, selectedFields: c.millrace.fields.filter((x) => now.has(x.name)).map((x) => ({ fieldPath: [x.name] })) })
                    }}
                  />
                </td>
              )}
              {s && needsKey(mode) && (
                <td>
                  <input
                    type="checkbox"
                    aria-label={`${f.name} is part of the key`}
                    checked={keys.has(f.name)}
                    onChange={(e) => put({ ...s, primaryKey: e.currentTarget.checked ? [...(s.primaryKey ?? []), [f.name]] : (s.primaryKey ?? []).filter((p) => p.join('.') !== f.name) })}
                  />
                </td>
              )}
              <td class="mono">{f.name}</td>
              <td class="muted mono">{f.sourceType ?? f.kind}</td>
              <td class="muted">{f.nullable ? 'may be' : 'never'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
