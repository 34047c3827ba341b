import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    globalSetup: ['tests/support/global-setup.ts'],
    setupFiles: ['tests/support/setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // What is looked at until it comes true may take its time on a busy machine; the default is a second.
    expect: { poll: { timeout: 15_000 } },
    // Importing the product is a second of each file's time, and every file brings its own server and database.
    isolate: false,
    // One more than there are cores: many of these tests wait for a deadline or for another process.
    maxWorkers: availableParallelism() + 1,
    // The cloudinary SDK picks http or https when it is first required, from this variable alone.
    env: { CLOUDINARY_URL: 'cloudinary://key:secret@sandbox?upload_prefix=http://127.0.0.1' },
  },
})
