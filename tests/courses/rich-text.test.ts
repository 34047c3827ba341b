import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { richText } from '../../src/courses/rich-text.ts'
import { aDraft, aPublishedCourse } from '../support/builders/courses.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

const cleaned = (text: string) => richText(100_000).parse(text)

/** What an author wrote, and how it is kept: nothing of it is lost. */
const KEPT: [string, string][] = [
  ['for (int i=0; i<n; i++)', 'for (int i=0; i&lt;n; i++)'],
  ['If x<y then stop', 'If x&lt;y then stop'],
  ['If x<y and y>z then stop', 'If x&lt;y and y&gt;z then stop'],
  ['a <b', 'a &lt;b'],
  ['a <b && c> d', 'a &lt;b &amp;&amp; c&gt; d'],
  ['i<a and b>c', 'i&lt;a and b&gt;c'],
  ['#include <stdio.h>', '#include &lt;stdio.h&gt;'],
  ['List<T> and Map<K, V>', 'List&lt;T&gt; and Map&lt;K, V&gt;'],
  ['Box<A>, List<P> and Set<S>', 'Box&lt;A&gt;, List&lt;P&gt; and Set&lt;S&gt;'],
  ['Promise<object>, Vec<Option<u8>>', 'Promise&lt;object&gt;, Vec&lt;Option&lt;u8&gt;&gt;'],
  ['vector<int> v; v << 1', 'vector&lt;int&gt; v; v &lt;&lt; 1'],
  ['<?php echo 1 ?>', '&lt;?php echo 1 ?&gt;'],
  ['Write to <asha@example.test>', 'Write to &lt;asha@example.test&gt;'],
  ['I <3 Rust', 'I &lt;3 Rust'],
  ['1 < 2', '1 &lt; 2'],
  ['<', '&lt;'],
  ['<<<<', '&lt;&lt;&lt;&lt;'],
  ['never write <script> yourself', 'never write &lt;script&gt; yourself'],
  ['<!-- a note that never ends', '&lt;!-- a note that never ends'],
  ['<p>i<n</p>', '<p>i&lt;n</p>'],
  [
    '<pre><code>if (a<b && c>d) <T></code></pre>',
    '<pre><code>if (a&lt;b &amp;&amp; c&gt;d) &lt;T&gt;</code></pre>',
  ],
  ['<code><div class="x"></code>', '<code>&lt;div class="x"&gt;</code>'],
  ['<pre>use <script>x()</script></pre>', '<pre>use &lt;script&gt;x()&lt;/script&gt;</pre>'],
  ['<b>bold</b> and <B>BOLD</B>', '<b>bold</b> and <b>BOLD</b>'],
  ['&lt;script&gt; &amp;lt;', '&lt;script&gt; &amp;lt;'],
  ['आ<ब', 'आ&lt;ब'],
]

describe('rich text', () => {
  it.each(KEPT)('keeps %s', (written, html) => {
    expect(cleaned(written)).toEqual({ html, dropped: [] })
  })

  it('says what it dropped, and nothing of what it keeps', () => {
    const told = (text: string) => cleaned(text).dropped
    expect(told('<p onclick="x()">a</p><script>alert(1)</script>')).toEqual(['<script>', 'onclick'])
    expect(cleaned('<div class="a"><p>b</p></div>')).toEqual({
      html: '<p>b</p>',
      dropped: ['<div>', 'class'],
    })
    expect(told('<img src=x onerror=alert(1)>')).toEqual(['<img>', 'src', 'onerror'])
    expect(told('<a href="javascript:x()">a</a>')).toEqual(['href'])
    expect(told('<a href="mailto:a@b.test">a</a><a href="https://b.test">b</a>')).toEqual(['href'])
    expect(told('a<!-- note -->b')).toEqual(['<!-- -->'])
    expect(told('a</p>b')).toEqual(['</p>'])
    expect(told(`${'<ul><li>'.repeat(40)}deep`)).toEqual(['<ul>', '<li>'])
    expect(told('<a href="https://b.test" rel="me">b</a>')).toEqual([])
    expect(told(Array.from({ length: 90 }, (_, n) => `<h2 x${n}>a</h2>`).join('')).length).toBe(50)
  })

  it('is the same when it is read back and saved again', () => {
    const pieces = [
      ...[
        '<',
        '>',
        '/',
        '"',
        "'",
        '=',
        '&',
        '&lt;',
        '&amp;',
        ' ',
        '\n',
        'a',
        'b<c',
        'x',
        '<!--',
        '-->',
      ],
      ...[
        '<p>',
        '</p>',
        '<P>',
        '<b>',
        '</b>',
        '<a href="https://a.test">',
        '</a>',
        '<ul>',
        '<li>',
        '</ul>',
      ],
      ...[
        '<pre>',
        '</pre>',
        '<code>',
        '</code>',
        '<script>',
        '</script>',
        '<svg>',
        '</svg>',
        '<math>',
      ],
      ...[
        '<style>',
        '</style>',
        '<table>',
        '<td>',
        '</table>',
        '<textarea>',
        '</textarea>',
        '<title>',
      ],
      ...[
        '<img src=x onerror=alert(1)>',
        '<iframe src=x>',
        '</iframe>',
        '<T>',
        '<br/>',
        '<div>',
        '</div>',
      ],
      ...[
        '<option>',
        '</option>',
        '<noscript>',
        '</noscript>',
        '<form>',
        '<mglyph>',
        '<![CDATA[',
        ']]>',
      ],
    ]
    const texts = fc
      .array(fc.oneof({ arbitrary: fc.constantFrom(...pieces), weight: 9 }, fc.string()))
      .map((some) => some.join(''))
    const html = (text: string) => richText(100_000).safeParse(text).data?.html ?? ''
    fc.assert(
      fc.property(texts, (text) => {
        const once = html(text)
        expect(html(once)).toBe(once)
        expect(once).not.toMatch(
          /<(?!\/?(h[234]|p|br|hr|blockquote|pre|code|ul|ol|li|strong|b|em|i|u|s|sub|sup|a|table|thead|tbody|tr|th|td)\b)/,
        )
        expect(once).not.toMatch(/<[^>]*\son/i)
      }),
      { numRuns: 3_000, seed: 9 },
    )
  })
})

describe('an author', () => {
  it('is told what was dropped of a text or a description, and loses nothing else', async () => {
    const { course, sectionId, lessonId, owner } = await aDraft(lms)
    const courseId = course.id
    const { courses } = owner.api
    const written = '<p onclick="x()">i<n</p><script>alert(1)</script>'
    const html = '<p>i&lt;n</p>'
    const dropped = ['<script>', 'onclick']
    expect(await courses.updateLesson.mutate({ courseId, lessonId, body: written })).toMatchObject({
      dropped,
    })
    const lesson = { courseId, sectionId, title: 'Next', kind: 'TEXT' as const, text: written }
    expect(await courses.addLesson.mutate(lesson)).toMatchObject({ dropped })
    const edited = await courses.update.mutate({ id: courseId, description: written })
    expect(edited).toMatchObject({ description: html, dropped })
    const created = await courses.create.mutate({ title: 'Second', description: written })
    expect(created).toMatchObject({ description: html, dropped })
    expect(await courses.update.mutate({ id: courseId, title: 'Same' })).toMatchObject({
      dropped: [],
    })

    const { sections, description } = await courses.authoring.query({ courseId })
    const bodies = sections.flatMap(({ lessons }) => lessons.map(({ body }) => body))
    expect(bodies).toEqual([html, html])
    await courses.updateLesson.mutate({ courseId, lessonId, body: bodies[0] ?? '' })
    await courses.update.mutate({ id: courseId, description })
    const after = await courses.authoring.query({ courseId })
    expect([after.description, after.sections[0]?.lessons[0]?.body]).toEqual([html, html])
  })

  it('may save again whatever was saved, and no more than may be stored', async () => {
    const { course, lessonId, owner } = await aDraft(lms)
    const save = (body: string) =>
      owner.api.courses.updateLesson.mutate({ courseId: course.id, lessonId, body })
    await save('&'.repeat(20_000))
    const stored = await lms.db.orm.lesson_texts.where({ lessonId }).first()
    expect(stored?.body).toHaveLength(100_000)
    await save(stored?.body ?? '')
    const again = await lms.db.orm.lesson_texts.where({ lessonId }).first()
    expect(again?.body).toBe(stored?.body)
    await refused(save('&'.repeat(20_001)), 'INVALID_INPUT')
    await refused(save('<'.repeat(50_000)), 'INVALID_INPUT')
  })

  it('is found by the words of code in a description', async () => {
    const { course, owner } = await aPublishedCourse(lms)
    const description = '<p>when i<zebrafish, List<Quagga> grows</p>'
    await owner.api.courses.update.mutate({ id: course.id, description })
    for (const q of ['zebrafish', 'Quagga']) {
      const { items } = await lms.visitor().api.courses.list.query({ q })
      expect(items.map(({ id }) => id)).toEqual([course.id])
    }
  })
})

describe('a search', () => {
  it('finds what is folded the same, in the title, the tags and the description', async () => {
    const { course, owner } = await aPublishedCourse(lms)
    await owner.api.courses.update.mutate({
      id: course.id,
      title: 'تاريخ علي',
      tags: ['२०२६'],
      description: '<p>L’été und Grüße, a well–known cafe\u0301</p>',
    })
    for (const q of ['علی', 'تاریخ', '2026', '२०२६', 'Grüsse', 'GRÜSSE', 'Café']) {
      const { items } = await lms.visitor().api.courses.list.query({ q })
      expect([q, items.map(({ id }) => id)]).toEqual([q, [course.id]])
    }
    const { items } = await lms.visitor().api.courses.list.query({ q: 'ناموجود –تاريخ' })
    expect(items.map(({ id }) => id)).toEqual([course.id])
  })
})
