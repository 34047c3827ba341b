import { type Db, MongoClient } from 'mongodb'
import type { StoredContract } from './create.ts'

type Operation = { id: string; label: string }

async function findLoss(db: Db, contract: StoredContract, operation: Operation): Promise<string[]> {
  const [kind, name = '', act] = operation.id.split('.')
  const collection = db.collection(name)
  if (kind === 'collection' && act === 'drop') {
    const documents = await collection.estimatedDocumentCount()
    return documents === 0 ? [] : [`${operation.label}, and ${documents} documents with it`]
  }
  if (kind === 'validator') {
    const rules = Object.values(contract.storage.namespaces)
      .map(({ entries }) => entries.collection[name]?.validator?.jsonSchema)
      .find((schema) => schema !== undefined)
    const misfits = rules ? await collection.countDocuments({ $nor: [{ $jsonSchema: rules }] }) : 0
    return misfits === 0
      ? []
      : [`${operation.label}, which ${misfits} of its documents do not meet`]
  }
  return kind === 'index' ? [] : [operation.label]
}

/**
 * What would really be lost by operations the planner calls destructive. It calls so every index it
 * drops and nearly every validator it changes, whatever the collections hold.
 */
export async function findLosses(
  url: string,
  contract: StoredContract,
  operations: readonly Operation[],
): Promise<string[]> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 5_000 })
  try {
    const db = client.db()
    const losses = operations.map((operation) => findLoss(db, contract, operation))
    return (await Promise.all(losses)).flat()
  } finally {
    await client.close()
  }
}
