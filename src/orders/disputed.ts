export function isOpenDispute(status: string): boolean {
  return status === 'open' || status === 'under_review'
}
