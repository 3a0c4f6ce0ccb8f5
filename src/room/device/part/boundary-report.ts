/** What the host asks of this device to find out which stage computes wrongly. */
import type { ComputingDevice } from '../../compute/index.ts';
import type { Peers } from '../../links/index.ts';
import {
  type BulkHandlers,
  encodeBulk,
  type Handlers,
  type HostMessage,
} from '../../protocol/index.ts';
import type { BoundaryTap } from '../../stage/index.ts';

export interface BoundaryReportOptions {
  boundaryTap: BoundaryTap;
  hiddenSize: number;
  /** The last layer that this device may be asked for: the head stays on the host. */
  lastBlock: number;
  device: Pick<ComputingDevice, 'recompute'>;
  peers: Pick<Peers, 'sendBulk'>;
  /** Aborts when the visit ends. */
  signal: AbortSignal;
}

export interface BoundaryReport {
  readonly handlers: Pick<Handlers<HostMessage>, 'tap-boundary' | 'report-boundary'>;
  /** Throws one sentence where it asks for what cannot be. */
  readonly bulkHandlers: Pick<BulkHandlers, 'recompute'>;
}

export function createBoundaryReport(options: BoundaryReportOptions): BoundaryReport {
  const { boundaryTap, hiddenSize, lastBlock, device, peers, signal } = options;

  function answer(message: Uint8Array): void {
    // Whoever left meanwhile needs no answer.
    peers.sendBulk('host', message).catch(() => undefined);
  }

  return {
    handlers: {
      'tap-boundary': (boundary) => boundaryTap.watch(boundary),
      'report-boundary'({ planVersion, sequence, stage }) {
        const boundary = { planVersion, sequence, stage };
        const { positions, payload } = boundaryTap.take(boundary) ?? nothing;
        answer(encodeBulk({ kind: 'boundary-states', ...boundary, positions }, payload));
      },
    },
    bulkHandlers: {
      recompute(from, body, { request, first, last, weights }) {
        const input = new Float32Array(body.slice().buffer, 0, body.length >> 2);
        if (from !== 'host' || first < 1 || last > lastBlock || first > last)
          throw new Error(`${from} may not ask this device to compute layers ${first} to ${last}`);
        if (input.length === 0 || input.length % hiddenSize !== 0 || body.length % 4 !== 0)
          throw new Error(`${from} sent states of ${body.length} bytes to compute with`);
        device.recompute({ first, last, weights, input }, signal).then(
          ({ buffer, byteOffset, byteLength }) =>
            answer(
              encodeBulk(
                { kind: 'recomputed', request },
                new Uint8Array(buffer, byteOffset, byteLength),
              ),
            ),
          // A device that cannot says nothing: the host does not wait for it.
          () => undefined,
        );
      },
    },
  };
}

const nothing = { positions: [], payload: new Uint8Array() };
