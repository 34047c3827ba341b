/** For writes of a migration: the database's validators are of an earlier contract until this one is applied. */
export const UNCHECKED = { bypassDocumentValidation: true }
