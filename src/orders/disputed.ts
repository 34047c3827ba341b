/** Whether the bank is still thinking: access stays, and no refund is begun. */
export function isOpenDispute(status: string): boolean {
  return status === 'open' || status === 'under_review'
}
