import { relayServers } from '../../room/index.ts';

/** `none`: the server has none, or there is no server; `unreachable`: it has one that does not answer here. */
export type RelayReach = 'reached' | 'none' | 'unreachable';

const deadlineMs = 3000;

export async function relayReach(): Promise<RelayReach> {
  const iceServers = await relayServers();
  if (iceServers.length === 0 || !('RTCPeerConnection' in globalThis)) return 'none';
  const connection = new RTCPeerConnection({ iceServers, iceTransportPolicy: 'relay' });
  try {
    const offered = new Promise<RelayReach>((resolve) => {
      connection.addEventListener('icecandidate', ({ candidate }) => {
        if (candidate?.type === 'relay') resolve('reached');
      });
      setTimeout(() => resolve('unreachable'), deadlineMs);
    });
    connection.createDataChannel('');
    await connection.setLocalDescription();
    return await offered;
  } finally {
    connection.close();
  }
}
