// The pages of docs/errors: what happened, common causes, what to do. They come with the UI, no other host is asked.
import { useEffect, useState } from 'preact/hooks'
import { Card, Empty, Loading, Page } from '../parts/basics'
import { Markdown } from '../parts/markdown'
import { SearchBox } from '../parts/table'
import { plural } from '../parts/format'
import { query } from '../router'

type Pages = Record<string, string>

function usePages(): Pages | null {
  const [pages, set] = useState<Pages | null>(null)
  useEffect(() => {
    void import('../error_pages').then((m) => set(m.pages))
  }, [])
  return pages
}

const leadOf = (text: string) =>
  text
    .split('\n')
    .slice(1)
    .find((l) => l.trim() && !l.startsWith('#'))
    ?.replace(/[`*]/g, '') ?? ''

export function ErrorIndex() {
  const pages = usePages()
  const text = (query.value.get('q') ?? '').toLowerCase()
  const all = Object.entries(pages ?? {}).filter(([code, body]) => !text || code.includes(text) || leadOf(body).toLowerCase().includes(text))
  return (
    <Page title="Error codes" lead="Each error carries one of these codes, in the API, the command line, the log and here.">
      {!pages ? (
        <Loading />
      ) : (
        <Card flush>
          <div class="toolbar">
            <SearchBox label="Search codes" />
            <span class="tally spread">{plural(all.length, 'code')}</span>
          </div>
          <ul class="list codes">
            {all.map(([code, body]) => (
              <li key={code}>
                <a class="code-link" href={`/help/errors/${code}`}>
                  {code}
                </a>
                <span class="muted">{leadOf(body)}</span>
              </li>
            ))}
          </ul>
        </Card>
      )}
    </Page>
  )
}

export function ErrorPage({ code }: { code: string }) {
  const pages = usePages()
  const text = pages?.[code]
  return (
    <Page title={code} crumbs={[['Error codes', '/help/errors']]}>
      {!pages ? (
        <Loading />
      ) : text ? (
        <Card>
          <Markdown text={text.split('\n').slice(1).join('\n')} />
        </Card>
      ) : (
        <Card flush>
          <Empty title="No error has this code">
            A newer server may have it. All codes are <a href="/help/errors">here</a>.
          </Empty>
        </Card>
      )}
    </Page>
  )
}
