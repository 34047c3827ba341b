import type { Settings } from './serve.ts'

/** Whoever serves the page writes them into it. */
export const readSettings = (): Settings =>
  JSON.parse(document.getElementById('settings')?.textContent ?? '') as Settings
