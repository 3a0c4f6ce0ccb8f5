/** By which relay this page's links may go where nothing else works. */
import * as v from 'valibot';
import { IceInfoSchema, type IceServer } from '../../model/server-info.ts';

/** The server that served the page answers within a moment, or is none of ours. */
const deadlineMs = 3000;

/** None from a static host, or a server without a relay: devices then meet directly or not at all. */
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
