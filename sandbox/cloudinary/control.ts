import type { IncomingMessage } from 'node:http'
import { errorAnswer, json, type Answer } from './answers.ts'
import type { Cloud } from './cloud.ts'
import type { Fault } from './faults.ts'
import { textOf } from './receive.ts'

/** `/_control/…`: what tests in this process call directly, for those in another one. */
export async function control(
  cloud: Cloud,
  request: IncomingMessage,
  path: string,
): Promise<Answer> {
  switch (`${request.method ?? ''} ${path}`) {
    case 'GET assets':
      return json(200, cloud.store.all())
    case 'GET requests':
      return json(200, cloud.requests)
    case 'POST faults':
      cloud.faults.add(JSON.parse(await textOf(request)) as Fault)
      return json(201, {})
    case 'DELETE faults':
      cloud.faults.clear()
      return json(200, {})
    default:
      return errorAnswer(404, 'No such control')
  }
}
