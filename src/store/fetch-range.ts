/** Fetches a byte range of a URL, and resumes after a broken connection. */

export interface RangeRequest {
  url: string;
  offset: number;
  length: number;
  accessToken?: string | null;
  /** Called with the number of bytes of each network read. */
  onBytes?: (count: number) => void;
  signal?: AbortSignal;
}

const tries = 4;
const waitBetweenTriesMs = 400;

/**
 * The bytes `[offset, offset + length)`. It also takes a plain 200 answer from a server without ranges.
 * Throws one sentence that names the file if the server refuses, if the file is too short, or if the
 * connection breaks several times without a byte in between.
 */
export async function fetchRange(request: RangeRequest): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(request.length);
  let have = 0;
  let fruitless = 0;
  while (have < request.length) {
    const before = have;
    try {
      for await (const part of readBody(request, have)) {
        if (have + part.length > request.length) throw new RangeMismatch(request.url);
        bytes.set(part, have);
        have += part.length;
        request.onBytes?.(part.length);
      }
      if (have < request.length) throw new TypeError('the connection ended early');
    } catch (error) {
      if (!isWorthRetrying(error)) throw error;
      fruitless = have > before ? 0 : fruitless + 1;
      if (fruitless === tries)
        throw new Error(
          `${fileName(request.url)} could not be fetched: ${messageOf(error)}. Check this device's connection.`,
          { cause: error },
        );
      await new Promise((resolve) => setTimeout(resolve, waitBetweenTriesMs * fruitless));
    }
  }
  return bytes;
}

/** The server's answer is wrong, and would be wrong again. */
class RangeMismatch extends Error {
  constructor(url: string) {
    super(`${fileName(url)} does not have the size that the model's manifest states.`);
  }
}

async function* readBody(
  request: RangeRequest,
  have: number,
): AsyncGenerator<Uint8Array, void, void> {
  const { url, offset, length, accessToken, signal } = request;
  const first = offset + have;
  const response = await fetch(url, {
    headers: {
      Range: `bytes=${first}-${offset + length - 1}`,
      ...(accessToken !== undefined &&
        accessToken !== null && { Authorization: `Bearer ${accessToken}` }),
    },
    ...(signal && { signal }),
  });
  if (response.status === 416) throw new RangeMismatch(url);
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    throw new HttpRefusal(url, response.status);
  }
  let skip = response.status === 206 ? 0 : first;
  let left = length - have;
  for await (const part of response.body) {
    const useful = part.subarray(Math.min(skip, part.length));
    skip -= part.length - useful.length;
    if (response.status === 206) {
      yield useful;
    } else {
      // The server sends the whole file, so this stops after our range.
      yield useful.subarray(0, left);
      left -= useful.length;
      if (left <= 0) return;
    }
  }
  if (response.status !== 206) throw new RangeMismatch(url);
}

class HttpRefusal extends Error {
  constructor(
    url: string,
    readonly status: number,
  ) {
    super(`${fileName(url)} could not be fetched: the server answered ${status}.`);
  }
}

function isWorthRetrying(error: unknown): boolean {
  if (error instanceof RangeMismatch) return false;
  if (error instanceof HttpRefusal) return error.status >= 500 || error.status === 429;
  return !(error instanceof DOMException && error.name === 'AbortError');
}

function fileName(url: string): string {
  return new URL(url, 'http://localhost').pathname.split('/').slice(-2).join('/');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/\.$/, '') : String(error);
}
