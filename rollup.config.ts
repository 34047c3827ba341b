import path from 'node:path'
import { defineConfig } from 'rollup'
import { dts } from 'rollup-plugin-dts'
import manifest from './package.json' with { type: 'json' }

const OUT = process.env['TYPES_OUT'] ?? 'dist'

/** What a frontend installs: types alone, and the one package they name. */
const PACKAGE = {
  name: manifest.name,
  version: manifest.version,
  license: manifest.license,
  types: 'index.d.ts',
  exports: { '.': { types: './index.d.ts' } },
  peerDependencies: { '@trpc/server': `^${manifest.dependencies['@trpc/server']}` },
}

/** Bundles `AppRouter` into one declaration file that names nothing but @trpc/server. */
export default defineConfig({
  input: 'types/index.ts',
  output: { file: `${OUT}/index.d.ts` },
  external: (id) => !id.startsWith('.') && !path.isAbsolute(id),
  logLevel: 'silent',
  plugins: [
    {
      name: 'leave-the-context-out',
      resolveId: (source) =>
        source.endsWith('/context.ts') ? path.resolve('types/context.d.ts') : null,
    },
    dts(),
    {
      name: 'add-the-manifest',
      generateBundle() {
        this.emitFile({
          type: 'asset',
          fileName: 'package.json',
          source: JSON.stringify(PACKAGE, null, 2),
        })
      },
    },
  ],
})
