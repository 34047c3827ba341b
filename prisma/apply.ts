import { defineConfig } from '@prisma/orm-mongo/config'
import { createControlClient } from '@prisma/orm-toolchain/cli/control-api'
import { ConnectionString } from 'mongodb-connection-string-url'
import path from 'node:path'
import { controlDriver } from './control-driver.ts'
import { createCollections } from './create.ts'
import { migrateData, readContract } from './data/migrate.ts'
import { findLosses } from './losses.ts'

const migrationsDir = path.join(import.meta.dirname, 'migrations')
const { family, target, adapter } = defineConfig({ contract: 'contract.prisma' })

function explain(databaseUrl: string, losses: string[]): string {
  const database = new ConnectionString(databaseUrl).pathname.slice(1)
  return [
    `The database "${database}" was made for another version of prisma/contract.prisma. To fit it to this one would:`,
    ...losses.map((loss) => `  - ${loss}`),
    `If nothing in it is worth keeping, remove it (npm run sandbox keeps it in .sandbox) and start again.`,
    `Otherwise mend its documents, or agree to the loss: npm run db:update -- --confirm ${database}`,
  ].join('\n')
}

/**
 * Makes a database of development what contract.json says. Brings documents along, creates what is missing, does nothing where
 * nothing is, and refuses, with a list, what would lose documents or leave some that do not fit.
 */
export async function applyContract(databaseUrl: string): Promise<void> {
  const contract = await readContract()
  await migrateData(databaseUrl, contract)
  await createCollections(databaseUrl, contract)
  const components = { family, target, adapter, driver: controlDriver }
  const client = createControlClient({ ...components, connection: databaseUrl })
  const update = { contract, mode: 'apply', migrationsDir } as const
  try {
    let result = await client.dbUpdate(update)
    const refused = result.ok ? undefined : result.failure.destructiveChanges
    if (refused !== undefined) {
      const losses = await findLosses(databaseUrl, contract, refused.destructiveOperations)
      if (losses.length > 0) throw new Error(explain(databaseUrl, losses))
      result = await client.dbUpdate({ ...update, consent: { planHash: refused.planHash } })
    }
    if (!result.ok) throw new Error(`${result.failure.summary}. ${result.failure.why ?? ''}`)
  } finally {
    await client.close()
  }
}
