import { createServer, type Server, type ServerResponse } from 'node:http'
import type { Mail } from './parse.ts'

/** A page for a developer's browser: the mails so far, newest first, and `/mails.json`. */
export function createInbox(mails: () => Mail[]): Server {
  return createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://inbox')
    const mail = /^\/mails\/(\d+)$/.exec(pathname)?.[1]
    const html = mail === undefined ? undefined : mails()[Number(mail)]?.html
    if (request.method !== 'GET') response.writeHead(405).end()
    else if (pathname === '/') page(response, listOf(mails()))
    else if (html !== undefined) page(response, html)
    else if (pathname === '/mails.json') {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(mails()))
    } else response.writeHead(404).end()
  })
}

function page(response: ServerResponse, body: string): void {
  response
    .writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; img-src https:",
    })
    .end(body)
}

function listOf(mails: Mail[]): string {
  const rows = mails.map(
    (mail, index) => `<tr><td>${mail.receivedAt.toISOString()}<td>${escape(mail.to)}
<td><a href="/mails/${index}">${escape(mail.subject)}</a><td><pre>${escape(mail.text)}</pre>`,
  )
  return `<!doctype html><meta charset="utf-8"><title>Inbox</title><h1>Inbox</h1>
<table border="1" cellpadding="6"><tr><th>At<th>To<th>Subject<th>Text${rows.reverse().join('')}</table>`
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
