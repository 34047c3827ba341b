// What tutorials build: Express and Mongoose behind the same security middleware as ours.
import { createHash } from 'node:crypto'
import cookieParser from 'cookie-parser'
import cors from 'cors'
import express, { type Request } from 'express'
import { rateLimit } from 'express-rate-limit'
import helmet from 'helmet'
import hpp from 'hpp'
import mongoose, { Schema } from 'mongoose'

await mongoose.connect(process.env['DATABASE_URL'] ?? '')
const User = mongoose.model(
  'User',
  new Schema({ email: String, name: String, role: String, createdAt: Date }),
  'users',
)
const Session = mongoose.model(
  'Session',
  new Schema({
    tokenHash: String,
    userId: { type: Schema.Types.ObjectId, ref: 'User' },
    expiresAt: Date,
  }),
  'sessions',
)
const Course = mongoose.model(
  'Course',
  new Schema({
    slug: String,
    title: String,
    summary: String,
    category: String,
    level: String,
    language: String,
    pricePaise: Number,
    currency: String,
    imageUrl: String,
    ratingSum: Number,
    ratingCount: Number,
    status: String,
    publishedAt: Date,
    ownerId: { type: Schema.Types.ObjectId, ref: 'User' },
  }),
  'courses',
)

const app = express()
app.use(
  helmet(),
  cors({ origin: ['http://localhost:5173'], credentials: true }),
  hpp(),
  cookieParser(),
)
app.use(rateLimit({ windowMs: 60_000, limit: 10_000_000 }))
app.get('/courses', async (_req, res) => {
  res.json(
    await Course.find({ status: 'PUBLISHED' })
      .select(
        'slug title summary category level language pricePaise currency imageUrl ratingSum ratingCount ownerId publishedAt',
      )
      .sort({ publishedAt: -1 })
      .limit(20)
      .populate('ownerId', 'name'),
  )
})
app.get('/me', async (req: Request, res) => {
  const cookies = req.cookies as Record<string, string>
  const tokenHash = createHash('sha256')
    .update(cookies['session'] ?? '')
    .digest('hex')
  const session = await Session.findOne({ tokenHash })
  res.json(await User.findById(session?.userId))
})
app.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1')
