/** Why links end, in sentences for people. */
import { LinkError } from './link-error.ts';

export const pathLost = 'The network path to the other device broke and did not come back.';

export const tooMuchLost =
  'The network path to the other device broke, and more was lost with it than could be sent again.';

export const connectionBroke = 'The connection to the other device broke; it is being made anew.';

export function silent(silentMs: number): string {
  return `Nothing was heard from the other device for ${(silentMs / 1000).toFixed(1)} s: its page may have crashed, fallen asleep or lost the network.`;
}

export function messageMissing(): LinkError {
  return new LinkError(
    'bad-message',
    'The other device left out one of its messages, so the link to it was ended.',
  );
}

export function tooTalkative(): LinkError {
  return new LinkError(
    'bad-message',
    'The other device sent more messages than any honest one would, so the link to it was ended.',
  );
}

export function linkEnded(): LinkError {
  return new LinkError('closed', 'The link to that device has ended: it has to be made anew.');
}
