import { AnyPage } from '../fields.ts'
import { publicProcedure, router } from '../trpc.ts'
import { getAuthoredCourse } from './authored-course.ts'
import { CourseChanges, createCourse, listMyCourses, NewCourse, updateCourse } from './authoring.ts'
import { CatalogueQuery, CourseSlug, requireCourseBySlug } from './catalogue.ts'
import { LessonMove, LessonRemoval, moveLesson, removeLesson } from './lesson-placement.ts'
import { addLesson, LessonChanges, NewLesson, updateLesson } from './lessons.ts'
import { authorProcedure, coursePartProcedure, wholeCourseProcedure } from './owner-procedure.ts'
import { archiveCourse, publishCourse, unpublishCourse } from './publishing.ts'
import { NewQuiz } from './quiz-terms.ts'
import { setQuiz } from './quiz.ts'
import { searchCourses } from './search.ts'
import {
  addSection,
  moveSection,
  NewSection,
  removeSection,
  SectionMove,
  SectionRemoval,
  SectionTitle,
  updateSection,
} from './sections.ts'

const whole = wholeCourseProcedure
const part = coursePartProcedure

export const coursesRouter = router({
  list: publicProcedure.input(CatalogueQuery).query(({ ctx, input }) => searchCourses(ctx, input)),
  bySlug: publicProcedure
    .input(CourseSlug)
    .query(({ ctx, input }) => requireCourseBySlug(ctx, ctx.actor, input)),
  mine: authorProcedure
    .input(AnyPage)
    .query(({ ctx, input }) => listMyCourses(ctx, ctx.actor, input)),
  authoring: part.query(({ ctx }) => getAuthoredCourse(ctx, ctx.course)),

  create: authorProcedure
    .input(NewCourse)
    .mutation(({ ctx, input }) => createCourse(ctx, ctx.actor, input)),
  update: whole
    .input(CourseChanges)
    .mutation(({ ctx, input }) => updateCourse(ctx, ctx.course, input)),
  publish: whole.mutation(({ ctx }) => publishCourse(ctx, ctx.course)),
  unpublish: whole.mutation(({ ctx }) => unpublishCourse(ctx, ctx.course)),
  archive: whole.mutation(({ ctx }) => archiveCourse(ctx, ctx.course)),

  addSection: part
    .input(NewSection)
    .mutation(({ ctx, input }) => addSection(ctx, ctx.course, input)),
  updateSection: part
    .input(SectionTitle)
    .mutation(({ ctx, input }) => updateSection(ctx, ctx.course, input)),
  moveSection: part
    .input(SectionMove)
    .mutation(({ ctx, input }) => moveSection(ctx, ctx.course, input)),
  removeSection: part
    .input(SectionRemoval)
    .mutation(({ ctx, input }) => removeSection(ctx, ctx.course, input)),

  addLesson: part.input(NewLesson).mutation(({ ctx, input }) => addLesson(ctx, ctx.course, input)),
  updateLesson: part
    .input(LessonChanges)
    .mutation(({ ctx, input }) => updateLesson(ctx, ctx.course, input)),
  moveLesson: part
    .input(LessonMove)
    .mutation(({ ctx, input }) => moveLesson(ctx, ctx.course, input)),
  removeLesson: part
    .input(LessonRemoval)
    .mutation(({ ctx, input }) => removeLesson(ctx, ctx.course, input)),
  setQuiz: part.input(NewQuiz).mutation(({ ctx, input }) => setQuiz(ctx, ctx.course, input)),
})
