/**
 * A socket for browsers that open none: what the server says goes out as server-sent events, what the device says
 * comes in by POST. To PeerServer it is a socket like any other, so its rules and limits hold here, too.
 */
import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** A stream that says nothing is taken for dead by whatever lies between. */
const keepAliveMs = 20_000;
/** What may wait for a reader that does not read. */
const maxWaitingBytes = 512 * 1024;
/** For the last words of a stream that is closed; a device that is gone never reads them. */
const lastWordsMs = 3000;
/** `EventSource` passes this by unless a page listens for it. */
const question = 'event: ask\ndata: {}\n\n';
const keepAlive = ': still here\n\n';

/** Emits `message` (a Buffer) and, once, `close`. */
export class EventSocket extends EventEmitter {
  /** Whether its page answers a question (`event: ask`) by saying something. */
  readonly answersQuestions: boolean;
  readonly #response: ServerResponse;
  readonly #keepAlive: ReturnType<typeof setInterval>;

  constructor(response: ServerResponse, { answersQuestions = false } = {}) {
    super();
    this.answersQuestions = answersQuestions;
    this.#response = response;
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      // Proxies that gather a response before they pass it on.
      'X-Accel-Buffering': 'no',
    });
    response.write('retry: 1000\n\n');
    this.#keepAlive = setInterval(() => this.#write(keepAlive), keepAliveMs);
    response.on('close', () => {
      clearInterval(this.#keepAlive);
      this.emit('close');
    });
  }

  /** JSON text, which has no line breaks of its own. */
  send(text: string): void {
    this.#write(`data: ${text}\n\n`);
  }

  get isOpen(): boolean {
    return !this.#response.destroyed && !this.#response.writableEnded;
  }

  /** Asks the device to say something, or writes a comment where its page does not answer. */
  ask(onWritten: (error?: Error | null) => void): void {
    this.#response.write(this.answersQuestions ? question : keepAlive, onWritten);
  }

  close(): void {
    this.#response.end();
    const timer = setTimeout(() => this.terminate(), lastWordsMs);
    this.once('close', () => clearTimeout(timer));
  }

  terminate(): void {
    this.#response.destroy();
  }

  #write(text: string): void {
    if (!this.isOpen) return;
    this.#response.write(text);
    if (this.#response.writableLength > maxWaitingBytes) this.terminate();
  }
}

/** A request's body; null once it is longer than that. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | null> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > maxBytes) return null;
    parts.push(part);
  }
  return Buffer.concat(parts);
}
