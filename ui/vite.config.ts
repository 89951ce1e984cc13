import { defineConfig } from 'vite'

// `npm run dev` serves the UI with hot reload and sends everything else to a running server.
const server = process.env.MILLRACE_SERVER ?? 'http://127.0.0.1:8000'
const api = ['/v1', '/openapi.json', '/version', '/readyz', '/livez', '/metrics', '/docs']

export default defineConfig({
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // the Content-Security-Policy allows no data: scripts or fonts
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 400,
    reportCompressedSize: false,
  },
  server: {
    fs: { allow: ['..'] },
    proxy: Object.fromEntries(api.map((path) => [path, { target: server, changeOrigin: true }])),
  },
})
