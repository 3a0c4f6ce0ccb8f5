/** What the host has this device find out about itself: how fast it is, and whether it computes rightly. */
import { errorMessage } from '../../../base/error-message.ts';
import type { ComputingDevice, PreparedEngine } from '../../compute/index.ts';
import type { DeviceMessage, Handlers, HostMessage } from '../../protocol/index.ts';
import { createSingleFlight } from '../../../base/single-flight.ts';

export interface SelfChecksOptions {
  device: Pick<ComputingDevice, 'proveAgain' | 'lapLayers'>;
  prepared: PreparedEngine;
  tell: (message: DeviceMessage) => void;
  /** Whether another engine takes this one's place, since this one computed wrongly. */
  isReplacedFor: (error: unknown) => boolean;
}

export type SelfCheckHandlers = Pick<Handlers<HostMessage>, 'measure-again' | 'prove-again'>;

export function createSelfChecks(options: SelfChecksOptions): SelfCheckHandlers {
  const { device, prepared, tell } = options;
  const proof = createSingleFlight(() => device.proveAgain());
  const measurement = createSingleFlight(() => prepared.engine.measure(prepared.compute.weights));

  async function proveAgain(): Promise<void> {
    try {
      await proof('layers');
      tell({ kind: 'proved' });
    } catch (error) {
      if (options.isReplacedFor(error)) return;
      tell({ kind: 'disproved', reason: errorMessage(error).slice(0, 500) });
    }
  }

  /** Layers that are held share memory and time with what is measured: then it is left to the laps. */
  async function measureAgain(): Promise<void> {
    const isFree = device.lapLayers.length === 0;
    // An engine that fails says so by other ways.
    const measured = isFree ? await measurement('compute').catch(() => null) : null;
    tell({ kind: 'measured', compute: measured });
  }

  return {
    'measure-again': () => void measureAgain(),
    'prove-again': () => void proveAgain(),
  };
}
