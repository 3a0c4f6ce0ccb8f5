/** Signalling by server-sent events and POST, for devices whose browser opens no socket to this server. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { EventSocket, readBody } from './event-socket.ts';

export interface EventSignalling {
  /** GET opens a device's stream, POST says one message in its name; both name its id and token. */
  handleRequest(request: IncomingMessage, response: ServerResponse): void;
  close(): void;
}

export interface EventSignallingOptions {
  /** Takes a device in, as if it had come by a socket. */
  connect: (socket: EventSocket, request: IncomingMessage) => void;
  /** A status and its phrase for a device that is not let in. */
  refuse: (request: IncomingMessage) => string | null;
  allowedOrigins: readonly string[];
  maxMessageBytes: number;
}

export function createEventSignalling(options: EventSignallingOptions): EventSignalling {
  /** By id: the stream, and the token without which nobody speaks in its name. */
  const streams = new Map<string, { token: string; socket: EventSocket }>();

  function open(id: string, token: string, request: IncomingMessage, response: ServerResponse) {
    const before = streams.get(id);
    const socket = new EventSocket(response);
    if (!before || before.token === token) {
      streams.set(id, { token, socket });
      socket.on('close', () => {
        if (streams.get(id)?.socket === socket) streams.delete(id);
      });
    }
    // A device whose stream broke may be back before that is noticed here.
    options.connect(socket, request);
    if (before?.token === token) before.socket.close();
  }

  async function take(
    id: string,
    token: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const stream = streams.get(id);
    if (stream?.token !== token) {
      answer(response, 404);
      return;
    }
    const body = await readBody(request, options.maxMessageBytes);
    if (body === null) {
      stream.socket.terminate();
      answer(response, 413);
      return;
    }
    stream.socket.emit('message', body);
    answer(response, 204);
  }

  return {
    handleRequest(request, response) {
      const refusal = options.refuse(request) ?? foreignRefusal(request);
      const { origin } = request.headers;
      response.setHeader('Vary', 'Origin');
      if (origin !== undefined && options.allowedOrigins.includes(origin))
        response.setHeader('Access-Control-Allow-Origin', origin);
      const query = new URL(request.url ?? '', 'http://any').searchParams;
      const [id, token] = [query.get('id') ?? '', query.get('token') ?? ''];
      if (refusal !== null) answer(response, Number.parseInt(refusal, 10));
      else if (id === '' || token === '') answer(response, 400);
      else if (request.method === 'GET') open(id, token, request, response);
      else if (request.method === 'POST')
        take(id, token, request, response).catch(() => response.destroy());
      else answer(response, 405);
    },
    close() {
      for (const { socket } of streams.values()) socket.terminate();
    },
  };
}

/** A page of another site may ask without saying where it is from, as for a picture; its browser says so. */
function foreignRefusal({ headers }: IncomingMessage): string | null {
  const isForeign = headers.origin === undefined && headers['sec-fetch-site'] === 'cross-site';
  return isForeign ? '403 Forbidden' : null;
}

function answer(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'Content-Length': 0 });
  response.end();
}
