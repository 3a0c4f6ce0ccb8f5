import { encodeBulk } from '../../protocol/index.ts';
import type { Job } from '../../compute/index.ts';

export interface RecomputeRequests {
  /** States of the input's shape; null where none come in good time. */
  ask(deviceId: string, job: Job): Promise<Float32Array | null>;
  onAnswer(from: string, request: number, body: Uint8Array<ArrayBuffer>): void;
  left(deviceId: string): void;
}

/** Loading a few blocks takes a phone as long. */
const patienceMs = 60_000;

export function createRecomputeRequests(
  send: (deviceId: string, message: Uint8Array) => Promise<void>,
): RecomputeRequests {
  const waiting = new Map<
    number,
    { deviceId: string; bytes: number; settle: (body: Uint8Array<ArrayBuffer> | null) => void }
  >();
  let lastRequest = 0;

  return {
    async ask(deviceId, { input, first, last, weights }) {
      const request = ++lastRequest;
      const bytes = new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
      const body = await new Promise<Uint8Array<ArrayBuffer> | null>((resolve) => {
        const timer = setTimeout(() => settle(null), patienceMs);
        const settle = (answer: Uint8Array<ArrayBuffer> | null): void => {
          clearTimeout(timer);
          waiting.delete(request);
          resolve(answer);
        };
        waiting.set(request, { deviceId, bytes: bytes.length, settle });
        const header = { kind: 'recompute', request, first, last, weights } as const;
        send(deviceId, encodeBulk(header, bytes)).catch(() => settle(null));
      });
      return body && new Float32Array(body.buffer);
    },
    onAnswer(from, request, body) {
      const asked = waiting.get(request);
      // An answer that came too late is no offence.
      if (asked?.deviceId !== from) return;
      asked.settle(body.length === asked.bytes ? body : null);
    },
    left(deviceId) {
      for (const asked of [...waiting.values()])
        if (asked.deviceId === deviceId) asked.settle(null);
    },
  };
}
