/** `gateway` of every fact that comes from Razorpay; stored, so never to be renamed. */
export const NAME = 'razorpay'
