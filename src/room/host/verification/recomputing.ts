/** Work done again, to be compared: on a device that is asked for it, or on the host itself. */
import { encodeBulk } from '../../protocol/index.ts';
import type { Job } from '../../compute/index.ts';
import type { Peers } from '../../links/index.ts';
import type { HostDevice } from '../host-device/index.ts';
import type { SharedModel } from '../weights/index.ts';

export interface RecomputingOptions {
  hostDevice: Pick<HostDevice, 'recompute'>;
  peers: Pick<Peers, 'sendBulk'>;
  sharedModel: Pick<SharedModel, 'keepsLayer'>;
}

export interface Recomputing {
  /** States of the input's shape. Null where none come in good time, which is no offence. */
  onDevice(deviceId: string, job: Job): Promise<Float32Array | null>;
  /** Rejects where the host cannot, or must not go on. */
  onHost(job: Job, signal: AbortSignal): Promise<Float32Array>;
  /** Whether the device has the bytes of the job's layers, and need not fetch them first. */
  keeps(deviceId: string, job: Job): boolean;
  onAnswer(from: string, request: number, body: Uint8Array<ArrayBuffer>): void;
  left(deviceId: string): void;
}

/** Loading a few blocks takes a phone as long. */
const patienceMs = 60_000;

interface Request {
  deviceId: string;
  bytes: number;
  settle: (body: Uint8Array<ArrayBuffer> | null) => void;
}

export function createRecomputing(options: RecomputingOptions): Recomputing {
  const { hostDevice, peers, sharedModel } = options;
  const waiting = new Map<number, Request>();
  let lastRequest = 0;

  return {
    async onDevice(deviceId, { input, first, last, weights }) {
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
        peers.sendBulk(deviceId, encodeBulk(header, bytes)).catch(() => settle(null));
      });
      return body && new Float32Array(body.buffer);
    },
    onHost: (job, signal) => hostDevice.recompute(job, signal),
    keeps(deviceId, { first, last }) {
      for (let layer = first; layer <= last; layer++)
        if (!sharedModel.keepsLayer(deviceId, layer)) return false;
      return true;
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
