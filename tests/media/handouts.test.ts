import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { deflateSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import type { FileToScan } from '../../src/gateways/file-scanner.ts'
import { safeFileName } from '../../src/media/file-name.ts'
import { aLearner } from '../support/builders/learning.ts'
import { withImage, aDraft } from '../support/builders/courses.ts'
import { refusedUpload, sendForm, upload, uploaded } from '../support/builders/media.ts'
import { anInstructor } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { PDF } from '../support/media-files.ts'
import { officeFile, typesPart, zipOf, type OfficeFormat } from '../support/zip.ts'

let lms: Lms
const scanned: FileToScan[] = []
let verdict: () => Promise<{ found: string } | null> = () => Promise.resolve(null)

beforeAll(async () => {
  lms = await startLms({
    scanFile: (file) => {
      scanned.push(file)
      return verdict()
    },
  })
})

async function anAuthor() {
  const { course, sectionId, owner } = await withImage(lms, await aDraft(lms))
  const path = `/uploads/lesson-file?courseId=${course.id}`
  const direct = async (format: string, content: Buffer, fileName?: string) => {
    const form = await owner.api.media.signUpload.mutate({
      ...{ purpose: 'lesson-file', courseId: course.id, format },
      ...(fileName !== undefined && { fileName }),
    })
    expect(await sendForm(form, content)).toBe(200)
    return form.mediaId
  }
  return { course, sectionId, owner, path, direct }
}

const FORMATS: OfficeFormat[] = ['docx', 'pptx', 'xlsx']

const GOOD: [string, string, Buffer][] = [
  ...FORMATS.map((format): [string, string, Buffer] => [
    `a ${format} whose types come last, behind a large picture`,
    format,
    zipOf(officeFile(format)),
  ]),
  ['one whose types come first', 'docx', zipOf(officeFile('docx', 10).reverse())],
  ['one with a comment', 'docx', zipOf(officeFile('docx', 10), { comment: 'PK\x05\x06 by hand' })],
  ['one in zip64', 'xlsx', zipOf(officeFile('xlsx', 600_000), { isLong: true })],
  [
    'an OpenDocument text',
    'odt',
    zipOf([
      { name: 'mimetype', content: 'application/vnd.oasis.opendocument.text', isStored: true },
      { name: 'content.xml', content: '<xml/>' },
    ]),
  ],
  [
    'a book',
    'epub',
    zipOf([{ name: 'mimetype', content: 'application/epub+zip', isStored: true }]),
  ],
  ['a PDF', 'pdf', PDF],
  [
    'a PDF that opens at a page',
    'pdf',
    Buffer.from('%PDF-1.7\n<</OpenAction [3 0 R /Fit]>>\n%%EOF'),
  ],
]

const macros = (name: string) => zipOf(officeFile('docx', 10, [{ name, content: 'program' }]))
const typed = (type: string) =>
  zipOf([{ name: 'word/document.xml', content: '' }, typesPart('docx', type)])
const objects = (text: string) =>
  Buffer.concat([
    Buffer.from('%PDF-1.7\n1 0 obj\n<</Type /ObjStm /N 1 /Filter /FlateDecode>>\nstream\r\n'),
    deflateSync(text),
    Buffer.from('\nendstream\nendobj\n%%EOF'),
  ])
const swap = (zip: Buffer, from: string, to: string) =>
  Buffer.from(zip.toString('latin1').replaceAll(from, to), 'latin1')

const BAD: [string, Buffer][] = [
  ['a zip that is no document', zipOf([{ name: 'a.txt', content: 'a' }])],
  ['one with macros', macros('word/vbaProject.bin')],
  ['one with macros of sheets', macros('xl/macrosheets/sheet1.xml')],
  ['one with macros in its types', typed('application/vnd.ms-word.document.macroEnabled.main+xml')],
  [
    'a template',
    typed('application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml'),
  ],
  ['one that is two kinds', zipOf([...officeFile('docx', 10), typesPart('xlsx')])],
  ['one with a way out', macros('../../outside.txt')],
  ['one under a lock', zipOf(officeFile('docx', 10), { isLocked: true })],
  ['one without its end', zipOf(officeFile('docx')).subarray(0, -30)],
  [
    'one with something behind its end',
    Buffer.concat([zipOf(officeFile('docx', 10)), Buffer.from('x')]),
  ],
  [
    'one whose directory lies elsewhere',
    swap(zipOf(officeFile('docx', 10)), 'PK\x01\x02', 'PK\x09\x09'),
  ],
  [
    'a text with macros',
    zipOf([
      { name: 'Basic/Standard/a.xml', content: '' },
      { name: 'mimetype', content: 'application/vnd.oasis.opendocument.text' },
    ]),
  ],
  ['a PDF with a script', Buffer.from('%PDF-1.7\n<</S /JavaScript /JS (app.alert(1))>>\n%%EOF')],
  [
    'a PDF with a script by another spelling',
    Buffer.from('%PDF-1.7\n<</S /J#61vaScr#69pt>>\n%%EOF'),
  ],
  ['a PDF that starts a program', Buffer.from('%PDF-1.7\n<</S/Launch/F(cmd.exe)>>\n%%EOF')],
  [
    'a PDF with a script far in',
    Buffer.concat([
      Buffer.from('%PDF-1.7\n'),
      Buffer.alloc(1024 * 1024 - 14, 'x'),
      Buffer.from('/JavaScript (x)\n%%EOF'),
    ]),
  ],
  ['a PDF with a packed script', objects('1 0 <</S /JavaScript /JS (x)>>')],
  ['a page', Buffer.from('<!doctype html><script>alert(1)</script>')],
  ['nothing', Buffer.from('')],
]

const HUGE = zipOf([
  ...Array.from({ length: 6 }, (_, n) => ({
    name: `word/${n}.xml`,
    content: 'a',
    claimedBytes: 99_000_000,
  })),
  typesPart('docx'),
])
const OVERLAPPING = (() => {
  const zip = zipOf(officeFile('docx', 200_000))
  const start = zip.indexOf('PK\x01\x02')
  const end = zip.lastIndexOf('PK\x05\x06')
  const entry = zip.subarray(start, zip.indexOf('PK\x01\x02', start + 4))
  const tail = Buffer.from(zip.subarray(end))
  tail.writeUInt16LE(tail.readUInt16LE(10) + 9, 10)
  tail.writeUInt32LE(tail.readUInt32LE(12) + 9 * entry.length, 12)
  return Buffer.concat([zip.subarray(0, end), ...Array<Buffer>(9).fill(entry), tail])
})()

describe('a handout', () => {
  it.each(GOOD)('is taken for what it is: %s', async (_what, format, content) => {
    const { owner, path, direct } = await anAuthor()
    const media = await uploaded(owner, path, content)
    expect(media).toMatchObject({ format, state: 'READY', bytes: content.length })
    const stored = lms.cloudinary.find((await publicIdOf(media.mediaId)) ?? '')
    expect(stored?.bytes).toBe(content.length)
    const mediaId = await direct(format, content)
    expect(await owner.api.media.confirm.mutate({ mediaId })).toMatchObject({
      format,
      state: 'READY',
    })
  })

  it.each(BAD)('is refused: %s', async (_what, content) => {
    const { owner, path, direct } = await anAuthor()
    await refusedUpload(upload(owner, path, content), 415, 'FILE_TYPE_REFUSED')
    if (content.length === 0) return
    const mediaId = await direct(
      content.subarray(0, 4).toString() === '%PDF' ? 'pdf' : 'docx',
      content,
    )
    await refused(owner.api.media.confirm.mutate({ mediaId }), 'FILE_TYPE_REFUSED')
    await refused(owner.api.media.confirm.mutate({ mediaId }), 'NOT_FOUND')
  })

  it('that would fill a disk when it is unpacked is refused', async () => {
    const { owner, path, direct } = await anAuthor()
    await refusedUpload(upload(owner, path, HUGE), 413, 'FILE_TOO_LARGE')
    const mediaId = await direct('docx', HUGE)
    await refused(owner.api.media.confirm.mutate({ mediaId }), 'FILE_TOO_LARGE')
    await refusedUpload(upload(owner, path, OVERLAPPING), 415, 'FILE_TYPE_REFUSED')
  })

  it('of another kind than it was signed for is refused', async () => {
    const { owner, direct } = await anAuthor()
    const mediaId = await direct('docx', zipOf(officeFile('xlsx')))
    await refused(owner.api.media.confirm.mutate({ mediaId }), 'FILE_TYPE_REFUSED')
  })

  it('leaves nothing on this machine’s disk', async () => {
    const { owner, path } = await anAuthor()
    await uploaded(owner, path, PDF)
    await refusedUpload(upload(owner, path, HUGE), 413, 'FILE_TOO_LARGE')
    const paths = new Set(scanned.map((file) => file.path.split('/').at(-1)))
    expect(paths.size).toBeGreaterThan(0)
    expect((await readdir(tmpdir())).filter((name) => paths.has(name))).toEqual([])
  })
})

const publicIdOf = async (mediaId: string) =>
  (await lms.db.orm.media.where({ _id: mediaId }).first())?.publicId

describe('a scanner', () => {
  it('is shown every handout whole, and what it finds is refused', async () => {
    const { owner, path, direct } = await anAuthor()
    verdict = () => Promise.resolve({ found: 'Eicar-Test' })
    await refusedUpload(upload(owner, path, PDF), 415, 'FILE_TYPE_REFUSED')
    const mediaId = await direct('pdf', PDF)
    await refused(owner.api.media.confirm.mutate({ mediaId }), 'FILE_TYPE_REFUSED')
    expect(scanned.at(-1)).toMatchObject({ format: 'pdf' })
    expect(lms.logs().join('\n')).toContain('Eicar-Test')
    verdict = () => Promise.resolve(null)
    await uploaded(owner, path, PDF)
  })

  it('that does not answer lets nothing through, and is asked again', async () => {
    lms.expectErrors()
    const { owner, path, direct } = await anAuthor()
    verdict = () => Promise.reject(new Error('no answer'))
    await refusedUpload(upload(owner, path, PDF), 503, 'UNAVAILABLE')
    const mediaId = await direct('pdf', PDF)
    await refused(owner.api.media.confirm.mutate({ mediaId }), 'UNAVAILABLE')
    verdict = () => Promise.resolve(null)
    expect(await owner.api.media.confirm.mutate({ mediaId })).toMatchObject({ state: 'READY' })
  })
})

describe('the name of a handout', () => {
  it('is kept on its way to who downloads it', async () => {
    const written = await anAuthor()
    const { course, sectionId, owner, path, direct } = written
    const courseId = course.id
    const response = await upload(owner, path, PDF, 'पाठ १ – R&D “notes” v1.2.pdf')
    const sent = (await response.json()) as { mediaId: string; fileName: string }
    const name = 'पाठ १ – R&D “notes” v1.2.pdf'
    expect(sent.fileName).toBe(name)
    const mediaId = await direct('pdf', PDF, 'Week 2.pdf')
    await owner.api.media.confirm.mutate({ mediaId })
    const lessons = [
      [sent.mediaId, name],
      [mediaId, 'Week 2.pdf'],
    ] as const
    for (const [id, fileName] of lessons) {
      const lesson = { courseId, sectionId, title: 'Notes', kind: 'FILE' as const, mediaId: id }
      const { id: lessonId } = await owner.api.courses.addLesson.mutate(lesson)
      if (id === sent.mediaId) await owner.api.courses.publish.mutate({ id: courseId })
      const { api } = await aLearner(lms, { ...written, lessonId })
      const opened = await api.lessons.open.query({ courseId, lessonId })
      if (opened.kind !== 'FILE') throw new Error('there is nothing to keep')
      expect(opened.fileName).toBe(fileName)
      const kept = await fetch(opened.playback.url)
      const disposition = kept.headers.get('content-disposition') ?? ''
      expect(disposition).toMatch(/^attachment; /)
      const encoded = /filename\*=UTF-8''(\S+)$/.exec(disposition)?.[1] ?? ''
      expect(decodeURIComponent(encoded)).toBe(fileName)
      expect(Buffer.from(await kept.arrayBuffer())).toEqual(PDF)
      const forged = new URL(opened.playback.url)
      forged.searchParams.set('target_filename', 'invoice.exe')
      expect((await fetch(forged)).status).toBe(401)
    }
  })

  it.each([
    ['../../etc/passwd', 'passwd.pdf'],
    ['C:\\temp\\notes.PDF', 'notes.pdf'],
    ['setup.pdf.exe', 'setup.pdf.pdf'],
    ['a\u202efdp.exe', 'afdp.pdf'],
    ['a\r\nSet-Cookie: x', 'aSet-Cookie_ x.pdf'],
    ['a"; filename="b.exe', 'a__ filename=_b.pdf'],
    ['\ud800x.pdf', '\ufffdx.pdf'],
    ['con.pdf', '_con.pdf'],
    ['.htaccess', 'htaccess.pdf'],
    ['Cafe\u0301.pdf', 'Café.pdf'],
    ['x'.repeat(500), `${'x'.repeat(120)}.pdf`],
    ['...', null],
    ['', null],
    ['\u200d.pdf', null],
    [undefined, null],
  ])('%j is saved as %j', (given, name) => {
    expect(safeFileName(given, 'pdf')).toBe(name)
  })

  it('is nobody else’s to read', async () => {
    const { owner, path } = await anAuthor()
    await upload(owner, path, PDF, 'Private.pdf')
    const { items } = await (await anInstructor(lms)).api.media.list.query({})
    expect(items).toEqual([])
  })
})
