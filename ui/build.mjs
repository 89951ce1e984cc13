// Builds the UI and packs it for the binary: called by ui/meson.build, or by hand.
//   node build.mjs --cc FILE --pack FILE --depfile FILE --dist DIR
//
// The pack holds each file as it is, with gzip and with brotli; the C++ file says where each lies. `npm ci` runs when
// the lock file has changed since it last ran here, and at no other time.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, extname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const here = dirname(fileURLToPath(import.meta.url))
const options = {}
for (let i = 2; i < process.argv.length; i += 2) options[process.argv[i].replace(/^--/, '')] = process.argv[i + 1]

const kTypes = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.png': 'image/png',
}
const kPacked = new Set(['.html', '.js', '.css', '.svg'])
// What the browser must have before the first screen is drawn: held to this by the build.
const kFirstPageBytes = 250_000

function install() {
  const stamp = join(here, 'node_modules', '.millrace-lock')
  const wanted = createHash('sha256').update(readFileSync(join(here, 'package-lock.json'))).digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  try {
    execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'], { cwd: here, stdio: ['ignore', 'inherit', 'inherit'] })
  } catch {
    console.error('ui: the packages of ui/package-lock.json could not be installed. A build without the web UI: meson configure BUILD -Dui=disabled')
    process.exit(1)
  }
  writeFileSync(stamp, wanted)
}

const filesUnder = (dir) => readdirSync(dir, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? filesUnder(join(dir, e.name)) : [join(dir, e.name)]))
const dirsUnder = (dir) => [dir, ...readdirSync(dir, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? dirsUnder(join(dir, e.name)) : []))]

install()
const dist = resolve(options.dist)
const { build } = await import('vite')
await build({ root: here, logLevel: 'warn', build: { outDir: dist, emptyOutDir: true } })

const pieces = []
let offset = 0
const add = (bytes) => {
  pieces.push(bytes)
  offset += bytes.length
  return [offset - bytes.length, bytes.length]
}
const assets = filesUnder(dist).sort().map((file) => {
  const bytes = readFileSync(file)
  const ext = extname(file)
  if (!kTypes[ext]) throw new Error(`ui: ${file} has a type that build.mjs does not know`)
  const asset = { path: '/' + relative(dist, file), type: kTypes[ext], identity: add(bytes), gzip: [0, 0], brotli: [0, 0] }
  if (kPacked.has(ext)) {
    asset.gzip = add(gzipSync(bytes, { level: 9 }))
    asset.brotli = add(brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }))
  }
  return asset
})

// The page, what it names, and what that imports without waiting; the latin font.
const html = readFileSync(join(dist, 'index.html'), 'utf8')
const named = new Set(['/index.html', ...[...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((m) => m[1])])
for (const path of [...named]) {
  if (!path.endsWith('.js')) continue
  for (const m of readFileSync(join(dist, path), 'utf8').matchAll(/from"\.\/([^"]+\.js)"/g)) named.add('/assets/' + m[1])
}
const first = assets.filter((a) => named.has(a.path) || /inter-latin-wght/.test(a.path)).reduce((n, a) => n + (a.brotli[1] || a.identity[1]), 0)
if (first > kFirstPageBytes) throw new Error(`ui: the first page needs ${first} bytes, compressed; at most ${kFirstPageBytes} are allowed`)

const pack = Buffer.concat(pieces)
const hash = createHash('sha256').update(pack).digest('hex').slice(0, 16)
mkdirSync(dirname(resolve(options.cc)), { recursive: true })
writeFileSync(options.pack, pack)
const view = ([at, size]) => (size === 0 ? '{}' : `{millrace_ui_pack + ${at}, ${size}}`)
writeFileSync(
  options.cc,
  `// Written by ui/build.mjs. The pack is ${hash}; the first page is ${first} bytes.
#include "api/ui_assets.h"

__asm__(
    ".section .rodata\\n.balign 16\\nmillrace_ui_pack:\\n.incbin \\"${resolve(options.pack)}\\"\\n.byte 0\\n.previous\\n");
extern "C" const char millrace_ui_pack[] __attribute__((visibility("hidden")));

namespace millrace::api {

std::span<const UiAsset> ui_assets() {
  static const UiAsset kAssets[] = {
${assets.map((a) => `      {"${a.path}", "${a.type}", ${view(a.identity)}, ${view(a.gzip)}, ${view(a.brotli)}},`).join('\n')}
  };
  return kAssets;
}

}  // namespace millrace::api
`,
)

const docs = resolve(here, '../docs/errors')
const inputs = [
  ...dirsUnder(join(here, 'src')),
  ...filesUnder(join(here, 'src')),
  docs,
  ...readdirSync(docs).map((f) => join(docs, f)),
  ...['index.html', 'package.json', 'package-lock.json', 'tsconfig.json', 'vite.config.ts', 'build.mjs'].map((f) => join(here, f)),
]
writeFileSync(options.depfile, `${options.cc}: ${inputs.map((f) => f.replace(/ /g, '\\ ')).join(' \\\n  ')}\n`)
if (statSync(options.pack).size === 0) process.exit(1)
