import { deflateRawSync } from 'node:zlib'
import { formOf, FORM_TYPE } from '../support/builders/media.ts'
import { PNG } from '../support/media-files.ts'
import { calling, getting, posting, uploading, type Attack } from './arena.ts'

const FILES: [string, string | Buffer][] = [
  ['a page', '<!doctype html><script>alert(1)</script>'],
  ['an SVG', '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'],
  ['an SVG after a prologue', '<?xml version="1.0"?><!DOCTYPE svg><svg onload="alert(1)"/>'],
  ['a program', Buffer.from('MZ\u0090\0'.padEnd(200, '\0'), 'latin1')],
  ['a program of Linux', Buffer.from('\x7fELF\x02\x01\x01'.padEnd(200, '\0'), 'latin1')],
  ['a script', '#!/bin/sh\nrm -rf /\n'],
  ['an archive', Buffer.concat([Buffer.from('PK\x03\x04'), deflateRawSync('x'.repeat(500))])],
  ['nothing', ''],
  ['a name alone', 'GIF89a'],
  ['a script in the dress of a picture', 'GIF89a=1;alert(1)//'.padEnd(100, ' ')],
]

const hugePng = () => {
  const picture = Buffer.from(PNG)
  picture.writeUInt32BE(50_000, 16)
  picture.writeUInt32BE(50_000, 20)
  return picture
}

export const UPLOADS: Attack[] = [
  ...FILES.map(([what, content]): Attack => ({
    what: `uploads ${what} as a picture`,
    as: 'STUDENT',
    send: () => uploading('/uploads/avatar', content),
    status: [400, 415],
  })),
  {
    what: 'uploads fifty thousand pixels squared',
    as: 'STUDENT',
    send: () => uploading('/uploads/avatar', hugePng()),
    status: [400, 413, 415],
  },
  {
    what: 'uploads without being anyone',
    send: () => uploading('/uploads/avatar'),
    status: 401,
    reason: 'UNAUTHENTICATED',
  },
  {
    what: 'uploads a film as a student',
    as: 'STUDENT',
    send: ({ filmed }) => uploading(`/uploads/lesson-video?courseId=${filmed.courseId}`),
    status: 403,
    reason: 'FORBIDDEN',
  },
  {
    what: 'uploads into the course of another',
    as: 'INSTRUCTOR',
    send: ({ filmed }) => uploading(`/uploads/course-image?courseId=${filmed.courseId}`),
    status: 403,
    reason: 'FORBIDDEN',
  },
  {
    what: 'uploads into two courses at once',
    as: 'INSTRUCTOR',
    send: ({ filmed, draft }) =>
      uploading(`/uploads/course-image?courseId=${filmed.courseId}&courseId=${draft.course.id}`),
    status: 400,
    reason: 'DUPLICATE_PARAMETER',
  },
  ...['../avatar', 'AVATAR', '__proto__', 'constructor', 'toString', '%00', ''].map(
    (purpose): Attack => ({
      what: `uploads for the purpose ${JSON.stringify(purpose)}`,
      as: 'STUDENT',
      send: () => uploading(`/uploads/${purpose}`),
      status: [404, 400],
    }),
  ),
  {
    what: 'uploads two files in one form',
    as: 'STUDENT',
    send: () =>
      posting(
        '/uploads/avatar',
        formOf([
          { filename: 'a.png', content: '<svg/>' },
          { filename: 'b.png', content: PNG },
        ]),
        [`Content-Type: ${FORM_TYPE}`],
      ),
    status: [400, 415],
  },
  {
    what: 'uploads a thousand fields before the file',
    as: 'STUDENT',
    send: () =>
      posting(
        '/uploads/avatar',
        formOf(Array.from({ length: 1000 }, (_, n) => ({ name: `f${n}`, content: 'x' }))),
        [`Content-Type: ${FORM_TYPE}`],
      ),
    status: 400,
  },
  ...['multipart/form-data', 'multipart/form-data; boundary=', 'multipart/mixed; boundary=x'].map(
    (type): Attack => ({
      what: `uploads as ${type}`,
      as: 'STUDENT',
      send: () => posting('/uploads/avatar', 'x', [`Content-Type: ${type}`]),
      status: [400, 415],
    }),
  ),
  ...['http://169.254.169.254/latest', 'file:///etc/passwd', 'data:image/png;base64,AAAA'].map(
    (url): Attack => ({
      what: `uploads from ${url}`,
      as: 'STUDENT',
      send: () =>
        posting('/uploads/avatar', formOf([{ name: 'file', content: url }]), [
          `Content-Type: ${FORM_TYPE}`,
        ]),
      status: [400, 415],
    }),
  ),
  {
    what: 'confirms the direct upload of another',
    as: 'INSTRUCTOR',
    send: () => calling('media.confirm', { mediaId: 'f'.repeat(24) }),
    status: 404,
    reason: 'NOT_FOUND',
  },
  {
    what: 'announces more than a disk holds',
    as: 'STUDENT',
    send: () => (cookie) =>
      [
        'POST /uploads/avatar HTTP/1.1',
        'Host: localhost',
        `Content-Type: ${FORM_TYPE}`,
        'Content-Length: 99999999999',
        'X-Trpc-Source: attacks',
        ...cookie,
        '',
        '',
      ].join('\r\n'),
    status: 413,
  },
  {
    what: 'uploads into a draft of another',
    as: 'INSTRUCTOR',
    send: ({ draft }) => uploading(`/uploads/course-image?courseId=${draft.course.id}`),
    status: 404,
    reason: 'NOT_FOUND',
  },
  { what: 'asks for an upload by GET', send: () => getting('/uploads/avatar'), status: 405 },
]
