/** The relay servers for links of this page that find no other path. */
import * as v from 'valibot';
import { IceInfoSchema, type IceServer } from '../../model/server-info.ts';

/** Our own server answers within a moment. */
const deadlineMs = 3000;

/** A static host, or a server without a relay, has none. Devices then meet directly or not at all. */
export async function relayServers(
  fetchInfo: (signal: AbortSignal) => Promise<Response> = (signal) => fetch('api/ice', { signal }),
): Promise<IceServer[]> {
  try {
    const response = await fetchInfo(AbortSignal.timeout(deadlineMs));
    const info = v.safeParse(IceInfoSchema, response.ok ? await response.json() : null);
    return info.success ? info.output.iceServers : [];
  } catch {
    return [];
  }
}
