/** Why a device could not be introduced, in sentences for people. */
import { LinkError } from './link-error.ts';

export function serverUnreachable(serverUrl: URL): LinkError {
  return new LinkError(
    'signalling-failed',
    `The server at ${serverUrl.host} that introduces devices to each other cannot be reached: check that it runs and that this device is on its network.`,
  );
}

export function serverRefused(serverUrl: URL, why: string): LinkError {
  return new LinkError(
    'signalling-failed',
    `The server at ${serverUrl.host} that introduces devices to each other refused this one (${why}): reload the page.`,
  );
}

export function idTaken(): LinkError {
  return new LinkError(
    'signalling-failed',
    'Another open page uses this device’s name in the room: close it, or open a new room.',
  );
}

export function browserCannotConnect(): LinkError {
  return new LinkError(
    'signalling-failed',
    'This browser cannot connect to other devices (WebRTC is missing or switched off): use a current Chrome, Edge, Firefox or Safari.',
  );
}

export function nobodyThere(): LinkError {
  return new LinkError(
    'peer-unavailable',
    'That device does not answer: it may have left, or be asleep; check that its page is open and try again.',
  );
}
