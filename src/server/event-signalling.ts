/** Signalling by server-sent events and POST, for devices whose browser opens no socket to this server. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { EventSocket, readBody } from './event-socket.ts';
import { readClaim, type NameClaim } from './names/name-claim.ts';

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
  /** By name and token: without its token nobody speaks in a stream's name. */
  const streams = new Map<string, EventSocket>();
  const keyOf = ({ id, token }: NameClaim): string => JSON.stringify([id, token]);

  function open(claim: NameClaim, request: IncomingMessage, response: ServerResponse) {
    const key = keyOf(claim);
    const socket = new EventSocket(response, { answersQuestions: answersQuestions(request) });
    streams.set(key, socket);
    socket.on('close', () => {
      if (streams.get(key) === socket) streams.delete(key);
    });
    options.connect(socket, request);
  }

  async function take(
    claim: NameClaim,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const stream = streams.get(keyOf(claim));
    if (!stream) {
      answer(response, 404);
      return;
    }
    const body = await readBody(request, options.maxMessageBytes);
    if (body === null) {
      stream.terminate();
      answer(response, 413);
      return;
    }
    stream.emit('message', body);
    answer(response, 204);
  }

  return {
    handleRequest(request, response) {
      const refusal = options.refuse(request) ?? foreignRefusal(request);
      const { origin } = request.headers;
      response.setHeader('Vary', 'Origin');
      if (origin !== undefined && options.allowedOrigins.includes(origin))
        response.setHeader('Access-Control-Allow-Origin', origin);
      const claim = readClaim(request);
      if (refusal !== null) answer(response, Number.parseInt(refusal, 10));
      else if (!claim) answer(response, 400);
      else if (request.method === 'GET') open(claim, request, response);
      else if (request.method === 'POST')
        take(claim, request, response).catch(() => response.destroy());
      else answer(response, 405);
    },
    close() {
      for (const socket of streams.values()) socket.terminate();
    },
  };
}

/** Pages that listen for the server's question say so; an older page would never answer it. */
function answersQuestions({ url = '' }: IncomingMessage): boolean {
  return new URL(url, 'http://any').searchParams.has('answers');
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
