/** An event as Razorpay sends it. */
export type SentEvent = { eventId: string; body: string; signature: string }

/** Hands an event to a server of our choice, as Razorpay does; answers the HTTP status. */
export async function postEvent(url: string, event: SentEvent): Promise<number> {
  const response = await fetch(`${url}/webhooks/razorpay`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-razorpay-signature': event.signature,
      'x-razorpay-event-id': event.eventId,
    },
    body: event.body,
  })
  await response.arrayBuffer()
  return response.status
}
