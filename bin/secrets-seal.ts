// npm run secrets:seal     seals every secret by the first of SECRET_KEYS, and says whether the others may go
import 'dotenv/config'
import { sealSecrets } from '../src/auth/seal-secrets.ts'
import { ConfigError, loadConfig } from '../src/config.ts'
import { openDb } from '../src/db.ts'
import { openSecretBox } from '../src/secret-box.ts'

try {
  const config = loadConfig()
  const db = await openDb(config.databaseUrl)
  try {
    const secretBox = openSecretBox(config.secretKeys)
    const { sealed, unreadable } = await sealSecrets({ db, secretBox })
    process.stdout.write(`${sealed} sealed by the key "${config.secretKeys[0].id}".\n`)
    process.stdout.write(
      unreadable === 0
        ? 'Every other key may be removed from SECRET_KEYS.\n'
        : `${unreadable} are sealed by a key that is not in SECRET_KEYS.\n`,
    )
    if (unreadable > 0) process.exitCode = 1
  } finally {
    await db.close()
  }
} catch (error) {
  process.stderr.write(`${error instanceof ConfigError ? error.message : String(error)}\n`)
  process.exitCode = 1
}
