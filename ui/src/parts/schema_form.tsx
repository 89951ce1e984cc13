// A form from a connector's JSON Schema (draft 7 with Airbyte's annotations): the documentation beside each field,
// secrets written and never read.
import { useId, useState } from 'preact/hooks'
import type { Fault } from '../api/client'
import type { Schema } from '../api/types'

type Value = Record<string, unknown>
const kMasked = '**********'

const titleOf = (name: string, s: Schema) => s.title ?? name.replace(/_/g, ' ').replace(/^./, (c) => c.toUpperCase())
const sorted = (s: Schema) =>
  Object.entries(s.properties ?? {})
    .filter(([, p]) => !p.airbyte_hidden)
    .sort(([, a], [, b]) => (a.order ?? 99) - (b.order ?? 99))
const typeOf = (s: Schema) => (Array.isArray(s.type) ? s.type.find((t) => t !== 'null') : s.type)
const constOf = (s: Schema) => Object.entries(s.properties ?? {}).find(([, p]) => p.const !== undefined)

// What a new form starts with: the defaults of what must be there.
export function initial(schema: Schema): Value {
  const value: Value = {}
  for (const [name, p] of Object.entries(schema.properties ?? {})) {
    if (p.const !== undefined) value[name] = p.const
    else if (p.default !== undefined && (schema.required?.includes(name) || p.always_show)) value[name] = p.default
  }
  return value
}

export function SchemaForm({ schema, value, onChange, faults = [], pointer = '' }: { schema: Schema; value: Value; onChange: (v: Value) => void; faults?: Fault[]; pointer?: string }) {
  const fields = sorted(schema).filter(([, p]) => p.const === undefined)
  const must = fields.filter(([name, p]) => schema.required?.includes(name) || p.always_show || pointer !== '')
  const may = fields.filter((f) => !must.includes(f))
  const set = (name: string, v: unknown) => {
    const next = { ...value }
    if (v === undefined) delete next[name]
    else next[name] = v
    onChange(next)
  }
  const touched = may.some(([name]) => value[name] !== undefined || faults.some((f) => f.pointer.startsWith(`${pointer}/${name}`)))
  const draw = ([name, p]: [string, Schema]) => (
    <Field key={name} name={name} schema={p} required={schema.required?.includes(name) ?? false} value={value[name]} onChange={(v) => set(name, v)} faults={faults} pointer={`${pointer}/${name}`} />
  )
  return (
    <>
      {must.map(draw)}
      {may.length > 0 &&
        (must.length === 0 ? (
          may.map(draw)
        ) : (
          <details class="optional" open={touched}>
            <summary>More settings ({may.length})</summary>
            <div class="form">{may.map(draw)}</div>
          </details>
        ))}
    </>
  )
}

function Field({ name, schema, required, value, onChange, faults, pointer }: { name: string; schema: Schema; required: boolean; value: unknown; onChange: (v: unknown) => void; faults: Fault[]; pointer: string }) {
  const id = useId()
  const mine = faults.filter((f) => f.pointer === pointer || f.pointer === '/configuration' + pointer)
  const kind = typeOf(schema)
  const describedBy = `${id}-hint`
  const label = titleOf(name, schema)
  const hint = (
    <span class="hint" id={describedBy}>
      {schema.description}
      {mine.map((f) => (
        <span class="fault" key={f.detail}>
          {' '}
          {f.detail}
        </span>
      ))}
    </span>
  )
  const common = { id, 'aria-describedby': describedBy, 'aria-invalid': mine.length > 0 ? ('true' as const) : undefined }
  const head = (
    <span class="field-label">
      <label for={id}>{label}</label>
      {!required && <span class="muted">optional</span>}
    </span>
  )

  if (schema.oneOf) return <OneOf schema={schema} label={label} value={value as Value | undefined} required={required} onChange={onChange} faults={faults} pointer={pointer} />
  if (kind === 'object' && schema.properties) {
    return (
      <fieldset class="field">
        <legend class="field-label">{label}</legend>
        {hint}
        <div class="nested">
          <SchemaForm schema={schema} value={(value as Value) ?? {}} onChange={onChange} faults={faults} pointer={pointer} />
        </div>
      </fieldset>
    )
  }
  if (kind === 'boolean') {
    return (
      <div class="check">
        <input type="checkbox" {...common} checked={Boolean(value ?? schema.default)} onChange={(e) => onChange(e.currentTarget.checked)} />
        <span>
          <label class="field-label" for={id}>
            {label}
          </label>
          {hint}
        </span>
      </div>
    )
  }
  if (schema.enum) {
    return (
      <div class="field">
        {head}
        <select {...common} value={String(value ?? schema.default ?? '')} onChange={(e) => onChange(e.currentTarget.value || undefined)}>
          {!required && schema.default === undefined && <option value="">–</option>}
          {schema.enum.map((option) => (
            <option key={String(option)} value={String(option)}>
              {String(option)}
            </option>
          ))}
        </select>
        {hint}
      </div>
    )
  }
  if (kind === 'array' && schema.items?.enum) {
    const chosen = (value ?? schema.default ?? []) as unknown[]
    return (
      <fieldset class="field">
        <legend class="field-label">{label}</legend>
        <div class="row">
          {schema.items.enum.map((option) => (
            <label class="check" key={String(option)}>
              <input type="checkbox" checked={chosen.includes(option)} onChange={(e) => onChange(e.currentTarget.checked ? [...chosen, option] : chosen.filter((x) => x !== option))} />
              <span>{String(option)}</span>
            </label>
          ))}
        </div>
        {hint}
      </fieldset>
    )
  }
  if (kind === 'array') return <Words head={head} hint={hint} common={common} value={(value ?? []) as string[]} onChange={onChange} />
  if (kind === 'integer' || kind === 'number') {
    return (
      <div class="field">
        {head}
        <input
          type="number"
          {...common}
          required={required}
          min={schema.minimum}
          max={schema.maximum}
          step={kind === 'integer' ? 1 : 'any'}
          placeholder={schema.default === undefined ? undefined : String(schema.default)}
          value={value === undefined ? '' : String(value)}
          onInput={(e) => onChange(e.currentTarget.value === '' ? undefined : Number(e.currentTarget.value))}
        />
        {hint}
      </div>
    )
  }
  if (schema.airbyte_secret) {
    const kept = value === kMasked
    const shared = { ...common, placeholder: kept ? 'unchanged' : undefined, autocomplete: 'new-password' as const, value: kept ? '' : ((value as string) ?? '') }
    const change = (text: string) => onChange(text === '' ? undefined : text)
    return (
      <div class="field">
        <span class="field-label">
          <label for={id}>{label}</label> <span class="muted">{kept ? 'stored; type to replace it' : required ? 'stored encrypted' : 'optional, stored encrypted'}</span>
        </span>
        {schema.multiline ? <textarea class="code" rows={4} {...shared} onInput={(e) => change(e.currentTarget.value)} /> : <input type="password" {...shared} onInput={(e) => change(e.currentTarget.value)} />}
        {hint}
      </div>
    )
  }
  return (
    <div class="field">
      {head}
      {schema.multiline ? (
        <textarea class="code" rows={4} {...common} value={(value as string) ?? ''} onInput={(e) => onChange(e.currentTarget.value || undefined)} />
      ) : (
        <input
          type="text"
          {...common}
          required={required}
          placeholder={schema.default === undefined ? (schema.examples?.[0] as string | undefined) : String(schema.default)}
          value={(value as string) ?? ''}
          onInput={(e) => onChange(e.currentTarget.value || undefined)}
          spellcheck={false}
          autocomplete="off"
        />
      )}
      {hint}
    </div>
  )
}

function OneOf({ schema, label, value, required, onChange, faults, pointer }: { schema: Schema; label: string; value: Value | undefined; required: boolean; onChange: (v: unknown) => void; faults: Fault[]; pointer: string }) {
  const options = schema.oneOf!
  const id = useId()
  const at = value
    ? options.findIndex((o) => {
        const c = constOf(o)
        return c && value[c[0]] === c[1].const
      })
    : -1
  const chosen = options[at]
  const inner = chosen && sorted(chosen).some(([, p]) => p.const === undefined)
  return (
    <div class="field">
      <div class="field">
        <span class="field-label">
          <label for={id}>{label}</label> {!required && <span class="muted">optional</span>}
        </span>
        <select id={id} value={at} onChange={(e) => onChange(Number(e.currentTarget.value) < 0 ? undefined : initial(options[Number(e.currentTarget.value)]))}>
          {(!required || at < 0) && <option value={-1}>Default</option>}
          {options.map((o, i) => (
            <option key={i} value={i}>
              {o.title ?? String(constOf(o)?.[1].const ?? i)}
            </option>
          ))}
        </select>
        {schema.description && <span class="hint">{schema.description}</span>}
      </div>
      {inner && (
        <div class="nested">
          <SchemaForm schema={chosen} value={value ?? {}} onChange={onChange} faults={faults} pointer={pointer} />
        </div>
      )}
    </div>
  )
}

// A list of texts, separated by commas.
function Words({ head, hint, common, value, onChange }: { head: any; hint: any; common: any; value: string[]; onChange: (v: unknown) => void }) {
  const [text, setText] = useState(value.join(', '))
  return (
    <div class="field">
      {head}
      <input
        type="text"
        {...common}
        value={text}
        placeholder="separated by commas"
        onInput={(e) => {
          setText(e.currentTarget.value)
          const words = e.currentTarget.value
            .split(',')
            .map((w) => w.trim())
            .filter(Boolean)
          onChange(words.length ? words : undefined)
        }}
      />
      {hint}
    </div>
  )
}
