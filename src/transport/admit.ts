/** From a connection in the making to one whose other end is proven: the network path, then the handshake. */
import { channelsOf } from './channels.ts';
import { createHandshake, type HandshakeRole } from './handshake.ts';
import { fingerprintsOf } from './identity.ts';
import { LinkError } from './link-error.ts';
import { parseJson } from './link-message.ts';
import { protocolVersion } from './protocol-version.ts';
import { diagnosePath } from './path-diagnosis.ts';
import type { OpenLinkOptions } from './types.ts';

/** Long enough for a last word to arrive, short enough not to keep a refused stranger. */
const lastWordMs = 1000;

/**
 * Resolves with the other side's proven fingerprint. Rejects with a `LinkError` that says why it was not let in,
 * and closes the connection.
 */
export async function admit(
  connection: RTCPeerConnection,
  options: OpenLinkOptions,
): Promise<string> {
  const deadline = AbortSignal.timeout(options.deadlineMs ?? 20_000);
  try {
    await pathFound(connection, deadline);
    return await proven(connection, options, deadline);
  } catch (error) {
    closeAfterLastWord(connection);
    throw error;
  }
}

/** Ends a connection, letting what was just said on the control channel arrive first. */
export function closeAfterLastWord(connection: RTCPeerConnection): void {
  const { control } = channelsOf(connection);
  const close = (): void => connection.close();
  if (control.raw.readyState !== 'open') {
    close();
    return;
  }
  control.raw.addEventListener('close', close);
  setTimeout(close, lastWordMs);
  control.raw.close();
}

function pathFound(connection: RTCPeerConnection, deadline: AbortSignal): Promise<void> {
  const { raw } = channelsOf(connection).control;
  return new Promise((resolve, reject) => {
    const watch = new AbortController();
    const { signal } = watch;
    const settle = (error: LinkError | null): void => {
      watch.abort();
      if (error) reject(error);
      else resolve();
    };
    const fail = async (): Promise<void> => {
      watch.abort();
      reject(await diagnosePath(connection));
    };
    const look = (): void => {
      if (raw.readyState === 'open') settle(null);
      else if (connection.connectionState === 'failed') void fail();
      else if (connection.connectionState === 'closed') settle(closedEarly());
    };
    raw.addEventListener('open', look, { signal });
    raw.addEventListener('close', () => settle(closedEarly()), { signal });
    connection.addEventListener('connectionstatechange', look, { signal });
    deadline.addEventListener('abort', () => void fail(), { signal });
    look();
  });
}

async function proven(
  connection: RTCPeerConnection,
  options: OpenLinkOptions,
  deadline: AbortSignal,
): Promise<string> {
  const { control } = channelsOf(connection);
  const { local, remote } = await fingerprintsOf(connection);
  await options.beforeProof?.(remote);
  const role: HandshakeRole =
    connection.localDescription?.type === 'offer' ? 'dialler' : 'acceptor';
  const handshake = createHandshake({
    role,
    key: options.key,
    version: options.version ?? protocolVersion,
    localFingerprint: local,
    remoteFingerprint: remote,
    ...(options.expectedFingerprint !== undefined && {
      expectedFingerprint: options.expectedFingerprint,
    }),
  });

  control.send(JSON.stringify(handshake.hello));
  for (;;) {
    const data = await control.next(deadline);
    if (data === null) throw deadline.aborted ? noAnswer() : closedEarly();
    const { send, outcome } = await handshake.receive(parseJson(data));
    for (const message of send) control.send(JSON.stringify(message));
    switch (outcome.kind) {
      case 'pending':
        continue;
      case 'accepted':
        return remote;
      case 'failed':
        throw outcome.error;
    }
  }
}

function noAnswer(): LinkError {
  return new LinkError(
    'timeout',
    'The other device was reached but did not answer in time: check that its page is in front and try again.',
  );
}

function closedEarly(): LinkError {
  return new LinkError(
    'closed',
    'The other device ended the connection before it was let in: try again, and reload both pages if it happens twice.',
  );
}
