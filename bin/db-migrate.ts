#!/usr/bin/env node
// The first half of `npm run db:update`: what has to happen to documents before Prisma changes the collections.
import { existsSync } from 'node:fs'
import { migrateData, readContract } from '../prisma/data/migrate.ts'
import { givenDatabaseUrl } from '../src/secret-files.ts'

if (existsSync('.env')) process.loadEnvFile('.env')
const url = givenDatabaseUrl(process.env)
if (url === null) {
  process.stderr.write('DATABASE_URL is missing\n')
  process.exit(2)
}
const done = await migrateData(url, await readContract())
for (const name of done) process.stderr.write(`Documents brought along: ${name}\n`)
