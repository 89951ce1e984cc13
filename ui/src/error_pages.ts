// docs/errors, one page a code, taken in when the UI is built.
const files = import.meta.glob<string>('../../docs/errors/*.md', { query: '?raw', import: 'default', eager: true })

export const pages: Record<string, string> = Object.fromEntries(
  Object.entries(files)
    .map(([file, text]): [string, string] => [file.replace(/^.*\/|\.md$/g, ''), text])
    .filter(([code]) => code !== 'README')
    .sort(([a], [b]) => (a < b ? -1 : 1)),
)
