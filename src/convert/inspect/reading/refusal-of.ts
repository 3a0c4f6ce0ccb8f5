import { errorMessage } from '../../../base/error-message.ts';

/** The sentence of what was thrown. Of a failed request Node says no more than "fetch failed", and keeps the reason as the cause. */
export function refusalOf(thrown: unknown): string {
  if (!(thrown instanceof TypeError) || thrown.cause === undefined) return errorMessage(thrown);
  return `the model's server cannot be reached (${errorMessage(thrown.cause)}): check the address, and that this device is on the network`;
}
