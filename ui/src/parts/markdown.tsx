// As much of Markdown as our own pages use: headings, paragraphs, lists, code, emphasis, links.
import type { ComponentChildren } from 'preact'

function inline(text: string): ComponentChildren[] {
  const out: ComponentChildren[] = []
  const pattern = /`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\(([^)]+)\)/g
  let at = 0
  for (const m of text.matchAll(pattern)) {
    out.push(text.slice(at, m.index))
    if (m[1] !== undefined) out.push(<code>{m[1]}</code>)
    else if (m[2] !== undefined) out.push(<strong>{inline(m[2])}</strong>)
    else {
      // Links between error pages lead to pages here; to other documents there is no page here.
      const page = /^(?:\.\/|\.\.\/errors\/)?([a-z0-9_]+\.[a-z0-9_.]+)\.md$/.exec(m[4])
      out.push(page ? <a href={`/help/errors/${page[1]}`}>{inline(m[3])}</a> : <span>{inline(m[3])}</span>)
    }
    at = m.index + m[0].length
  }
  out.push(text.slice(at))
  return out
}

export function Markdown({ text }: { text: string }) {
  const blocks: ComponentChildren[] = []
  const lines = text.split('\n')
  let i = 0
  while (i < lines.length) {
    const line = lines[i]
    if (!line.trim()) {
      i++
    } else if (line.startsWith('```')) {
      const body: string[] = []
      for (i++; i < lines.length && !lines[i].startsWith('```'); i++) body.push(lines[i])
      i++
      blocks.push(<pre class="yaml">{body.join('\n')}</pre>)
    } else if (line.startsWith('#')) {
      const words = inline(line.replace(/^#+\s*/, ''))
      blocks.push(line.startsWith('###') ? <h3>{words}</h3> : <h2>{words}</h2>)
      i++
    } else if (/^(\s*[-*]|\d+\.)\s/.test(line)) {
      const items: string[] = []
      const ordered = /^\d/.test(line)
      for (; i < lines.length && lines[i].trim(); i++) {
        if (/^(\s*[-*]|\d+\.)\s/.test(lines[i])) items.push(lines[i].replace(/^(\s*[-*]|\d+\.)\s+/, ''))
        else items[items.length - 1] += ' ' + lines[i].trim()
      }
      const body = items.map((t, n) => <li key={n}>{inline(t)}</li>)
      blocks.push(ordered ? <ol>{body}</ol> : <ul>{body}</ul>)
    } else {
      const body: string[] = []
      for (; i < lines.length && lines[i].trim() && !/^(#|```|\s*[-*]\s|\d+\.\s)/.test(lines[i]); i++) body.push(lines[i].trim())
      blocks.push(<p>{inline(body.join(' '))}</p>)
    }
  }
  return <div class="doc">{blocks}</div>
}
