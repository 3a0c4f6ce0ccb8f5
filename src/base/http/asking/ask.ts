/** One request to a server, with a deadline for silence. */
import { errorMessage } from '../../error-message.ts';
import { TryFailed } from './failure.ts';

export interface Asked {
  method?: 'GET' | 'HEAD';
  headers?: Readonly<Record<string, string>>;
  /** Past the browser's cache, as for `fetch`. */
  cache?: RequestCache;
  signal?: AbortSignal | undefined;
  silenceMs: number;
}

/** An answer whose headers have come, and whose body comes on demand. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /**
   * The next bytes of the body; null at its end. Throws TryFailed if the connection breaks, or if it is
   * silent for longer than `silenceMs`.
   */
  next(silenceMs?: number): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Ends the connection if the body has not ended. */
  close(): void;
}

/** Throws TryFailed if no answer comes in time, and the signal's reason if that aborts. */
export async function ask(url: string, asked: Asked): Promise<Answer> {
  const { signal, silenceMs, method = 'GET', headers = {}, cache } = asked;
  signal?.throwIfAborted();
  const ending = new AbortController();
  const abort = (): void => ending.abort(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  const over = (): void => signal?.removeEventListener('abort', abort);

  /** Waits for what the connection brings next, but not longer than that. */
  async function within<T>(
    ms: number,
    kind: 'unreachable' | 'broken',
    work: Promise<T>,
  ): Promise<T> {
    const timer = setTimeout(() => ending.abort(), ms);
    try {
      return await work;
    } catch (error) {
      over();
      signal?.throwIfAborted();
      throw ending.signal.aborted ? silent(url, ms) : faultOf(url, kind, error);
    } finally {
      clearTimeout(timer);
    }
  }

  const response = await within(
    silenceMs,
    'unreachable',
    fetch(url, { method, headers, signal: ending.signal, ...(cache && { cache }) }),
  );
  const reader = response.body?.getReader();
  return {
    status: response.status,
    headers: response.headers,
    async next(ms = silenceMs) {
      const part = reader && (await within(ms, 'broken', reader.read()));
      if (part?.value) return part.value;
      over();
      return null;
    },
    close() {
      over();
      reader?.cancel().catch(() => undefined);
    },
  };
}

function silent(url: string, ms: number): TryFailed {
  const seconds = Math.round(ms / 100) / 10;
  return new TryFailed({
    kind: 'silent',
    because: `${hostOf(url)} sent nothing for ${seconds} s`,
  });
}

function faultOf(url: string, kind: 'unreachable' | 'broken', error: unknown): TryFailed {
  const host = hostOf(url);
  const because =
    kind === 'unreachable' ? `${host} cannot be reached` : `the connection to ${host} broke`;
  return new TryFailed({ kind, because }, new Error(errorMessage(error)));
}

function hostOf(url: string): string {
  return new URL(url).host;
}
