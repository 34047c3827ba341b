import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { createServer as createVite, type Plugin } from 'vite'

export type DemoAccount = { role: string; name: string; email: string; password: string }

export type Settings = {
  /** Where the API is, without /trpc. */
  apiUrl: string
  /** Offered on the sign-in page: for a sandbox only. */
  demoAccounts: DemoAccount[]
}

type Options = {
  /** Taken if it is free; 0 for any. */
  port: number
  /** Asked for with every page, so it may be known later than the page's own origin is. */
  settings: () => Settings
  cacheDir?: string
}

export type Storefront = { origin: string; close: () => Promise<void> }

/** Serves this folder by Vite, on an HTTP server of our own: Vite's would end the process on SIGTERM. */
export async function serveStorefront({ port, settings, cacheDir }: Options): Promise<Storefront> {
  const http = createServer()
  await listen(http, port)
  const modules = path.resolve(import.meta.dirname, '../../node_modules')
  const vite = await createVite({
    configFile: false,
    root: import.meta.dirname,
    cacheDir: cacheDir ?? path.join(modules, '.vite/storefront'),
    logLevel: 'warn',
    clearScreen: false,
    server: {
      middlewareMode: { server: http },
      ws: { server: http },
      fs: { allow: [import.meta.dirname, modules] },
    },
    optimizeDeps: { include: ['@trpc/client', 'superjson'] },
    plugins: [writeSettings(settings)],
  })
  http.on('request', vite.middlewares)
  return {
    origin: `http://localhost:${(http.address() as AddressInfo).port}`,
    close: async () => {
      await vite.close()
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

async function listen(http: Server, port: number): Promise<void> {
  try {
    await once(http.listen(port, 'localhost'), 'listening')
  } catch (error) {
    const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
    if (!isTaken || port === 0) throw error
    await listen(http, 0)
  }
}

function writeSettings(settings: () => Settings): Plugin {
  return {
    name: 'write-settings',
    transformIndexHtml: () => [
      {
        tag: 'script',
        attrs: { type: 'application/json', id: 'settings' },
        // Inside a script element only `<` could end the script early.
        children: JSON.stringify(settings()).replaceAll('<', '\\u003c'),
        injectTo: 'head',
      },
    ],
  }
}
