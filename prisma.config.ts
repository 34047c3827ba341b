import { definePrismaConfig } from '@prisma/cli-engine'
import { defineConfig } from '@prisma/orm-mongo/config'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { controlDriver } from './prisma/control-driver.ts'
import { givenDatabaseUrl } from './src/secret-files.ts'

const env = path.join(import.meta.dirname, '.env')
if (existsSync(env)) process.loadEnvFile(env)
const connection = givenDatabaseUrl(process.env)

export default definePrismaConfig({
  orm: {
    ...defineConfig({
      contract: './prisma/contract.prisma',
      output: './prisma',
      ...(connection === null ? {} : { db: { connection } }),
      migrations: { dir: './prisma/migrations' },
    }),
    driver: controlDriver,
  },
})
