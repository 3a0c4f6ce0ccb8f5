/** The name that a device asks for, and the secret by which the server knows it again. */
import type { IncomingMessage } from 'node:http';

/** The key that PeerServer expects of every client; it protects nothing. */
export const serverKey = 'peerjs';

export interface NameClaim {
  id: string;
  token: string;
}

/** Null where PeerServer refuses the request, whoever holds the name. Of a field that comes twice the last counts, as there. */
export function readClaim(request: IncomingMessage): NameClaim | null {
  const fields = new URL(request.url ?? '', 'http://any').searchParams;
  const last = (name: string): string => fields.getAll(name).at(-1) ?? '';
  const [id, token] = [last('id'), last('token')];
  return id === '' || token === '' || last('key') !== serverKey ? null : { id, token };
}
