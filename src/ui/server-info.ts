/** What the server behind the page offers; a static host offers only what lies beside the page. */
import * as v from 'valibot';
import { ServerInfoSchema, type ServerInfo } from '../model/server-info.ts';

export type { ServerInfo };
export type ModelOffer = ServerInfo['models'][number];

export const staticHost: ServerInfo = {
  version: '',
  models: [
    {
      name: 'stories15m',
      title: 'Stories 15M',
      licence: 'MIT',
      manifestPath: 'shards/stories15m/manifest.json',
      bytes: 60_816_000,
    },
  ],
  lanOrigins: [],
};

/**
 * Asks the server. Where nothing answers with JSON, as on a static host, resolves to what is known to lie
 * beside the page; rejects with a sentence when the answer has another shape.
 */
export async function loadServerInfo(
  fetchInfo: () => Promise<Response> = () => fetch('api/info'),
): Promise<ServerInfo> {
  const answer = await jsonOf(fetchInfo);
  if (answer === undefined) return staticHost;
  const read = v.safeParse(ServerInfoSchema, answer);
  if (read.success) return read.output;
  const [issue] = read.issues;
  throw new Error(
    `The server's list of models does not fit this page (${v.getDotPath(issue) ?? 'whole answer'}: ${issue.message}). Start the server again, then reload the page.`,
  );
}

async function jsonOf(fetchInfo: () => Promise<Response>): Promise<unknown> {
  try {
    const response = await fetchInfo();
    return response.ok ? await response.json() : undefined;
  } catch {
    // No server, or a static host that answers every path with a page.
    return undefined;
  }
}
