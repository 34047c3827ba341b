/**
 * `npm run test:simulation` runs in the mode of that name and leaves nothing out; `npm test` plays a few runs only,
 * and tries one in so many of places where a server may die.
 */
export const isLong = process.env['MODE'] === 'simulation'

/** From one such place to the next. */
export const PLACES_APART = isLong ? 1 : 3
