/** Why two devices that know of each other found no way to each other, as far as this side can see. */
import { LinkError } from './link-error.ts';

/** To be asked before the connection is closed. */
export async function diagnosePath(connection: RTCPeerConnection): Promise<LinkError> {
  const candidates = { local: 0, remote: 0, relay: 0 };
  (await connection.getStats()).forEach((entry: CandidateStats) => {
    if (entry.type === 'remote-candidate') candidates.remote++;
    if (entry.type === 'local-candidate') candidates.local++;
    if (entry.type === 'local-candidate' && entry.candidateType === 'relay') candidates.relay++;
  });
  return new LinkError('no-path', sentenceFor(candidates));
}

interface CandidateStats {
  type: string;
  candidateType?: string;
}

/** `local`, `remote`: ways in that either side offers; `relay`: those of this side by way of a TURN server. */
export function sentenceFor({
  local,
  remote,
  relay,
}: {
  local: number;
  remote: number;
  relay: number;
}): string {
  if (local === 0)
    return 'This browser offers no network address to other devices: a VPN, an extension or a privacy setting may hide them; switch it off for this page, or use another browser.';
  if (remote === 0)
    return 'The other device’s browser offers no network address: a VPN, an extension or a privacy setting may hide them there; switch it off, or use another browser on that device.';
  if (relay > 0)
    return 'The two devices found no network path to each other, not even by way of the TURN server: check that both can reach it.';
  return 'The two devices know of each other but find no network path: bring both onto the same Wi-Fi; guest networks often keep devices apart, and then only another network or a TURN server helps.';
}
