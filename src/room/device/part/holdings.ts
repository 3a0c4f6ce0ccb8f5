/** What this device holds at this moment, and may hold, for its screen and for the host. */
import type { ComputingDevice } from '../../compute/index.ts';
import { rangesOf } from '../../lap.ts';
import type { DeviceMessage } from '../../protocol/index.ts';
import type { OwnView } from '../own-view.ts';
import type { StatusReporter } from './status-reporter.ts';

/** What this device may have others make it hold, at this moment. */
export interface Allowed {
  budgetBytes: number;
  /** Sequences that each other device may open here. */
  mostSequences: number;
}

export interface HoldingsOptions {
  device: Pick<ComputingDevice, 'lapLayers' | 'standbyLayers' | 'usedBytes'>;
  allowed: Allowed;
  own: OwnView;
  reporter: StatusReporter;
  tell: (message: DeviceMessage) => void;
}

export interface Holdings {
  /** Layers and memory, on the screen. */
  show(): void;
  /** Nothing is being loaded any more: the device is ready for its laps, or stands by. */
  settle(): void;
  setBudget(bytes: number): void;
}

export function createHoldings({
  device,
  allowed,
  own,
  reporter,
  tell,
}: HoldingsOptions): Holdings {
  function show(): void {
    const { budgetBytes } = allowed;
    own.show({
      layers: rangesOf(device.lapLayers),
      memory: { budgetBytes, usedBytes: device.usedBytes },
    });
  }

  return {
    show,
    settle() {
      const { lapLayers, standbyLayers } = device;
      if (lapLayers.length > 0) reporter.set({ kind: 'ready' });
      else reporter.set({ kind: 'standby', ready: rangesOf(standbyLayers) });
    },
    setBudget(bytes) {
      allowed.budgetBytes = bytes;
      show();
      tell({ kind: 'budget', budgetBytes: bytes });
    },
  };
}
