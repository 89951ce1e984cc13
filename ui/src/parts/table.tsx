// A table that stays fast with 10,000 rows: only what can be seen is in the page. Rows have one height.
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { ArrowDown, ArrowUp } from 'lucide-preact'
import { navigate, query, setQuery } from '../router'

export interface Column<T> {
  id: string
  name: string
  cell: (row: T) => ComponentChildren
  sort?: (row: T) => string | number
  width?: string // of a grid: '1fr', '120px', 'minmax(…)'
  align?: 'right'
  narrow?: boolean // stays on a phone
}

const kRow = 44
const kSpare = 8
const kVirtualFrom = 150

export function Table<T>({ rows, columns, keyOf, href, label, empty, sortName = 'sort' }: { rows: T[]; columns: Column<T>[]; keyOf: (row: T) => string | number; href?: (row: T) => string; label: string; empty?: ComponentChildren; sortName?: string }) {
  const box = useRef<HTMLDivElement>(null)
  const [range, setRange] = useState<[number, number]>([0, kVirtualFrom])
  const virtual = rows.length > kVirtualFrom
  const sort = query.value.get(sortName) ?? ''
  const column = columns.find((c) => c.id === sort.replace(/^-/, ''))
  let shown = rows
  if (column?.sort) {
    const by = column.sort
    const sign = sort.startsWith('-') ? -1 : 1
    shown = [...rows].sort((a, b) => {
      const x = by(a)
      const y = by(b)
      return (x < y ? -1 : x > y ? 1 : 0) * sign
    })
  }
  useEffect(() => {
    if (!virtual) return
    let frame = 0
    const look = () => {
      frame = 0
      const top = box.current?.getBoundingClientRect().top ?? 0
      const first = Math.max(0, Math.floor(-top / kRow) - kSpare)
      const last = Math.min(rows.length, Math.ceil((innerHeight - top) / kRow) + kSpare)
      setRange((r) => (r[0] === first && r[1] === last ? r : [first, Math.max(first, last)]))
    }
    const soon = () => {
      if (!frame) frame = requestAnimationFrame(look)
    }
    look()
    addEventListener('scroll', soon, { passive: true })
    addEventListener('resize', soon)
    return () => {
      cancelAnimationFrame(frame)
      removeEventListener('scroll', soon)
      removeEventListener('resize', soon)
    }
  }, [virtual, rows.length])
  if (rows.length === 0 && empty) return <>{empty}</>
  const [first, last] = virtual ? range : [0, shown.length]
  const grid = { gridTemplateColumns: columns.map((c) => c.width ?? '1fr').join(' ') }
  return (
    <div class="table" role="table" aria-label={label} aria-rowcount={rows.length + 1}>
      <div class="table-head" role="row" style={grid}>
        {columns.map((c) => {
          const on = column === c
          const down = sort.startsWith('-')
          return (
            <div key={c.id} role="columnheader" class={`${c.align ?? ''} ${c.narrow ? '' : 'wide-only'}`} aria-sort={on ? (down ? 'descending' : 'ascending') : undefined}>
              {c.sort ? (
                <button type="button" onClick={() => setQuery({ [sortName]: !on ? c.id : down ? null : '-' + c.id })}>
                  {c.name}
                  {on && (down ? <ArrowDown size={12} aria-hidden="true" /> : <ArrowUp size={12} aria-hidden="true" />)}
                </button>
              ) : (
                c.name
              )}
            </div>
          )
        })}
      </div>
      <div class="table-body" role="rowgroup" ref={box} style={virtual ? { height: `${rows.length * kRow}px` } : undefined}>
        {virtual && <div style={{ height: `${first * kRow}px` }} />}
        {shown.slice(first, last).map((row, i) => (
          <div
            key={keyOf(row)}
            class={`table-row ${href ? 'linked' : ''}`}
            role="row"
            aria-rowindex={first + i + 2}
            style={grid}
            onClick={(e) => {
              if (!href || (e.target as Element).closest('a,button,input,label')) return
              if (getSelection()?.toString()) return
              navigate(href(row))
            }}
          >
            {columns.map((c) => (
              <div key={c.id} role="cell" class={`${c.align ?? ''} ${c.narrow ? '' : 'wide-only'}`}>
                {c.cell(row)}
              </div>
            ))}
          </div>
        ))}
      </div>
    </div>
  )
}

export function SearchBox({ label, name = 'q' }: { label: string; name?: string }) {
  return (
    <input
      class="search"
      type="search"
      data-search
      aria-label={label}
      placeholder={label}
      value={query.value.get(name) ?? ''}
      onInput={(e) => setQuery({ [name]: e.currentTarget.value })}
    />
  )
}

export function Choice({ label, name, options }: { label: string; name: string; options: [value: string, text: string][] }) {
  return (
    <label class="choice">
      <span class="hidden">{label}</span>
      <select value={query.value.get(name) ?? ''} onChange={(e) => setQuery({ [name]: e.currentTarget.value })} aria-label={label}>
        {options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}
