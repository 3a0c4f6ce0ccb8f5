/** One visit to a room: from dialling the host to the end of that connection. */
import { cryptography } from '../../base/cryptography.ts';
import { errorMessage } from '../../base/error-message.ts';
import { onAbort } from '../../base/on-abort.ts';
import { deviceLabel } from '../../profile/this-device.ts';
import {
  createSignalling,
  keepIdentity,
  LinkError,
  openLink,
  pairCode,
} from '../../transport/index.ts';
import { relayServers } from '../links/index.ts';
import { roomProtocolVersion } from '../protocol/index.ts';
import { becomeDevice } from './become-device.ts';
import { openInbox } from './part/index.ts';
import type { VisitEnd, VisitOptions } from './visit-options.ts';

const isNotKept =
  'This browser keeps nothing for this page: after a reload this is a new device to the room.';

/** Resolves when the visit is over; never rejects. */
export async function visit(options: VisitOptions): Promise<VisitEnd> {
  const over = new AbortController();
  const leave = (): void => over.abort({ isFinal: true, reason: 'You left the room.' });
  options.signal.addEventListener('abort', leave);
  if (options.signal.aborted) leave();
  try {
    return await new Promise<VisitEnd>((resolve) => {
      const end = (how: VisitEnd): void => {
        resolve(how);
        over.abort(how);
      };
      over.signal.addEventListener('abort', () => resolve(over.signal.reason as VisitEnd));
      begin(options, over.signal, end).catch((error: unknown) => end(endOf(error)));
    });
  } finally {
    options.signal.removeEventListener('abort', leave);
    options.onPart(null);
    over.abort();
  }
}

/** Refusals are final; a network that fails, or a host that is not there, may come back. */
function endOf(error: unknown): VisitEnd {
  const reason = errorMessage(error);
  const isPassing =
    error instanceof LinkError &&
    ['signalling-failed', 'peer-unavailable', 'no-path', 'timeout', 'closed'].includes(error.code);
  return { isFinal: !isPassing, reason };
}

async function begin(
  options: VisitOptions,
  signal: AbortSignal,
  end: (how: VisitEnd) => void,
): Promise<void> {
  const { address, store } = options;
  // A page that cannot prove a key need not dial.
  cryptography();
  const identity = await keepIdentity(address.hostId);
  if (!identity.isKept && store.view.notices.every(({ text }) => text !== isNotKept))
    store.notice(isNotKept);
  const signalling = await createSignalling({
    identity,
    ...(address.signallingUrl !== undefined && { url: address.signallingUrl }),
    iceServers: [...(address.iceServers ?? []), ...(await relayServers())],
    relayOnly: options.device().relayOnly,
  });
  onAbort(signal, () => signalling.close());
  const connection = await signalling.dial(address.hostId);
  const proving = new AbortController();
  signal.addEventListener('abort', () => connection.close(), { signal: proving.signal });
  store.update({ phase: { kind: 'starting', step: 'Proving the invitation' } });
  const host = await openLink(connection, {
    peerId: address.hostId,
    key: address.key,
    version: roomProtocolVersion,
  });
  // From here on the connection is the link's, which says goodbye before it ends it.
  proving.abort();
  onAbort(signal, () => host.close('left the room'));
  host.onClosed((reason, cause) => end({ isFinal: cause === 'misbehaved', reason }));
  host.sendControl({ kind: 'hello', label: deviceLabel() });
  const inbox = openInbox(host, (reason) => end({ isFinal: true, reason }));
  let answer = await inbox.next();
  if (answer.kind === 'knocking') {
    options.onKnocking();
    const code = await pairCode(host.fingerprint, identity.fingerprint);
    store.update({ phase: { kind: 'knocking', code } });
    answer = await inbox.next();
  }
  if (answer.kind !== 'welcome') throw new Error('The host did not say which model it runs.');
  await becomeDevice(options, { host, signalling, inbox, welcome: answer, signal, end });
}
