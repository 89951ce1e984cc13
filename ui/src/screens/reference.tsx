// The HTTP interface as the server describes it, read from its own OpenAPI document.
import { useState } from 'preact/hooks'
import { ChevronRight } from 'lucide-preact'
import { useOpenApi, type OpenApi } from '../api/features'
import { Card, CopyButton, Empty, Page, Shown, Tag } from '../parts/basics'
import { Json } from '../parts/json'
import { SearchBox } from '../parts/table'
import { plural } from '../parts/format'
import { query } from '../router'

export function Reference() {
  const document = useOpenApi()
  const text = (query.value.get('q') ?? '').toLowerCase()
  return (
    <Page
      title="API reference"
      lead={
        <span>
          Everything on these screens goes over this interface. For programs: <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1).
        </span>
      }
    >
      <Shown query={document}>
        {(d) => {
          const groups = new Map<string, { method: string; path: string; operation: any }[]>()
          let n = 0
          for (const [path, methods] of Object.entries(d.paths)) {
            for (const [method, operation] of Object.entries(methods)) {
              if (text && !`${method} ${path} ${operation.summary}`.toLowerCase().includes(text)) continue
              const tag = operation.tags?.[0] ?? 'Other'
              groups.set(tag, [...(groups.get(tag) ?? []), { method: method.toUpperCase(), path, operation }])
              n++
            }
          }
          return (
            <div class="stack">
              <div class="row">
                <SearchBox label="Search paths" />
                <span class="tally">{plural(n, 'operation')}</span>
              </div>
              {[...groups].map(([tag, all]) => (
                <Card key={tag} title={tag} flush>
                  <ul class="list ops">
                    {all.map((o) => (
                      <Operation key={o.method + o.path} {...o} document={d} />
                    ))}
                  </ul>
                </Card>
              ))}
              {n === 0 && <Empty title="No path fits" />}
            </div>
          )
        }}
      </Shown>
    </Page>
  )
}

function Operation({ method, path, operation, document }: { method: string; path: string; operation: any; document: OpenApi }) {
  const [open, setOpen] = useState(false)
  const body = operation.requestBody?.content?.['application/json']?.schema
  const answers = Object.entries<any>(operation.responses ?? {})
  const parameters: any[] = operation.parameters ?? []
  const curl = `curl ${method === 'GET' ? '' : `-X ${method} `}-H "Authorization: Bearer $TOKEN" ${body ? `-H 'Content-Type: application/json' -d '{}' ` : ''}${location.origin}${path}`
  return (
    <li>
      <button type="button" class="op-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        <ChevronRight size={14} aria-hidden="true" class={open ? 'turned' : ''} />
        <span class={`method ${method.toLowerCase()}`}>{method}</span>
        <code>{path}</code>
        <span class="muted ellipsis">{operation.summary}</span>
      </button>
      {open && (
        <div class="op-body">
          {parameters.length > 0 && (
            <table>
              <tbody>
                {parameters.map((p) => (
                  <tr key={p.name}>
                    <td>
                      <code>{p.name}</code>
                    </td>
                    <td class="muted">
                      {p.in}, {p.schema?.type}
                    </td>
                    <td>{p.description}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
          {body && (
            <div class="stack tight">
              <strong>Body</strong>
              <Json value={resolve(body, document)} open={2} label="Copy the schema" />
            </div>
          )}
          {answers.map(([status, answer]) => (
            <p key={status}>
              <Tag tone={status.startsWith('2') ? 'good' : 'warn'}>{status}</Tag> {answer.description}
            </p>
          ))}
          <p class="row">
            <code class="ellipsis">{curl}</code>
            <CopyButton text={curl} label="Copy the command" />
          </p>
        </div>
      )}
    </li>
  )
}

function resolve(schema: any, document: OpenApi): unknown {
  const name = /^#\/components\/schemas\/(.+)$/.exec(schema?.$ref ?? '')?.[1]
  return name ? document.components.schemas[name] : schema
}
