// Stands in for src/context.ts when the client's types are bundled: a client needs no part of the server.
export type Context = object
