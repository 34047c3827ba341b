import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Session } from './session.ts'

export type Outline = {
  title: string
  summary: string
  description: string
  category: string
  level: 'BEGINNER' | 'INTERMEDIATE' | 'ADVANCED'
  tags: string[]
  pricePaise: number
  cover: string
  sections: { title: string; lessons: (TextLesson | VideoLesson)[] }[]
}

type TextLesson = { kind: 'TEXT'; title: string; preview?: boolean; body: string }
type VideoLesson = { kind: 'VIDEO'; title: string; preview?: boolean; file: string }

/** Makes a draft of this outline, file by file and lesson by lesson, and answers its id. */
export async function writeCourse({ api, upload }: Session, outline: Outline): Promise<string> {
  const { sections, cover, ...details } = outline
  const { id: courseId } = await api.courses.create.mutate(details)
  await upload('course-image', await mediaFile(cover, 'image/jpeg'), courseId)
  for (const { title, lessons } of sections) {
    const section = await api.courses.addSection.mutate({ courseId, title })
    for (const lesson of lessons)
      await writeLesson({ api, upload }, { courseId, sectionId: section.id, lesson })
  }
  return courseId
}

type Place = { courseId: string; sectionId: string; lesson: TextLesson | VideoLesson }

async function writeLesson({ api, upload }: Session, { lesson, ...place }: Place): Promise<void> {
  const { title, preview = false } = lesson
  if (lesson.kind === 'TEXT') {
    await api.courses.addLesson.mutate({
      ...place,
      kind: 'TEXT',
      title,
      preview,
      body: lesson.body,
    })
    return
  }
  const { mediaId } = await upload(
    'lesson-video',
    await mediaFile(lesson.file, 'video/mp4'),
    place.courseId,
  )
  await api.courses.addLesson.mutate({ ...place, kind: 'VIDEO', title, preview, mediaId })
}

export async function mediaFile(name: string, type: string): Promise<File> {
  const bytes = await readFile(path.join(import.meta.dirname, 'media', name))
  return new File([bytes], name, { type })
}
