// Writes src/api/schema.d.ts, the types of the HTTP interface, from a server's OpenAPI document.
//   node client.mjs [URL-or-file]       default: http://127.0.0.1:8000/openapi.json
import { readFile, writeFile } from 'node:fs/promises'
import openapi, { astToString } from 'openapi-typescript'

const from = process.argv[2] ?? 'http://127.0.0.1:8000/openapi.json'
const text = from.startsWith('http') ? await (await fetch(from)).text() : await readFile(from, 'utf8')
const types = astToString(await openapi(JSON.parse(text)))
const target = new URL('src/api/schema.d.ts', import.meta.url)
await writeFile(target, '// Written by `npm run client` from /openapi.json. Do not edit.\n' + types)
