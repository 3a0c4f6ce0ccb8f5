import { type BulkMessage, encodeBulk } from '../../protocol/index.ts';
import type { Job } from '../../compute/index.ts';
import type { Boundary, BoundaryTap } from '../../stage/index.ts';

export interface BoundaryReportOptions {
  boundaryTap: BoundaryTap;
  hiddenSize: number;
  /** The last layer that this device may be asked for: the head stays on the host. */
  lastBlock: number;
  recompute: (job: Job, signal: AbortSignal) => Promise<Float32Array>;
  sendBulk: (deviceId: string, message: Uint8Array) => Promise<void>;
  /** Aborts when the visit ends. */
  signal: AbortSignal;
}

export interface BoundaryReport {
  show(boundary: Boundary): void;
  /** Whether the message was for this. Throws one sentence where it asks for what cannot be. */
  onBulk(from: string, message: BulkMessage): boolean;
}

export function createBoundaryReport(options: BoundaryReportOptions): BoundaryReport {
  // Whoever left meanwhile needs no answer.
  const answer = (message: Uint8Array): void =>
    void options.sendBulk('host', message).catch(() => undefined);

  return {
    show({ planVersion, sequence, stage }) {
      const boundary = { planVersion, sequence, stage };
      const { positions, payload } = options.boundaryTap.take(boundary) ?? nothing;
      answer(encodeBulk({ kind: 'boundary-states', ...boundary, positions }, payload));
    },
    onBulk(from, { header, body }) {
      if (header.kind !== 'recompute') return false;
      const { request, first, last, weights } = header;
      const input = new Float32Array(body.slice().buffer, 0, body.length >> 2);
      if (from !== 'host' || first < 1 || last > options.lastBlock || first > last)
        throw new Error(`${from} may not ask this device to compute layers ${first} to ${last}`);
      if (input.length === 0 || input.length % options.hiddenSize !== 0 || body.length % 4 !== 0)
        throw new Error(`${from} sent states of ${body.length} bytes to compute with`);
      // Who cannot, says nothing: the host does not wait for it.
      options.recompute({ first, last, weights, input }, options.signal).then(
        ({ buffer, byteOffset, byteLength }) =>
          answer(
            encodeBulk(
              { kind: 'recomputed', request },
              new Uint8Array(buffer, byteOffset, byteLength),
            ),
          ),
        () => undefined,
      );
      return true;
    },
  };
}

const nothing = { positions: [], payload: new Uint8Array() };
