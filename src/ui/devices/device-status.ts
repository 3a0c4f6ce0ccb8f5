import { formatLayerRanges } from '../format-layers.ts';
import { formatBytes, formatPercent } from '../format.ts';
import type { DeviceStatus, LayerRange } from '../../room/index.ts';

export interface StatusText {
  /** Changes only when the device does something else: fit for a heading and to be read aloud. */
  doing: string;
  /** How far it is, or why; may change many times a second. Empty where there is nothing to add. */
  detail: string;
  /** How far it is, 0 to 1; null where nothing is under way. */
  fraction: number | null;
  tone: 'idle' | 'busy' | 'live' | 'alarm';
}

export function statusText(status: DeviceStatus, modelLayers: number): StatusText {
  switch (status.kind) {
    case 'connecting':
      return { doing: 'Connecting', detail: '', fraction: null, tone: 'busy' };
    case 'preparing':
      return { doing: 'Fetching the runtime', ...progress(status), tone: 'busy' };
    case 'measuring': {
      const { fraction } = status;
      return {
        doing: 'Measuring its speed',
        detail: formatPercent(fraction),
        fraction,
        tone: 'busy',
      };
    }
    case 'standby':
      return {
        doing: 'Standby',
        detail: standbyDetail(status.ready, modelLayers),
        fraction: null,
        tone: 'idle',
      };
    case 'loading':
      return { doing: 'Loading its part of the model', ...progress(status), tone: 'busy' };
    case 'ready':
      return { doing: 'Ready', detail: '', fraction: null, tone: 'idle' };
    case 'computing':
      return { doing: 'Computing', detail: '', fraction: null, tone: 'live' };
    case 'reconnecting':
      return { doing: 'Connecting again', detail: reconnecting, fraction: null, tone: 'busy' };
    case 'away':
      return { doing: 'Not answering', detail: away, fraction: null, tone: 'busy' };
    case 'failed':
      return { doing: 'Failed', detail: status.reason, fraction: null, tone: 'alarm' };
  }
}

const reconnecting = 'the connection to the host broke and is being restored';
const away = 'the room goes on without it for now';

function standbyDetail(ready: LayerRange[], modelLayers: number): string {
  if (ready.length === 0) return 'it holds nothing of the model for now';
  return `${formatLayerRanges(ready, modelLayers)} ready in case another device leaves`;
}

function progress({ bytesLoaded, bytesTotal }: { bytesLoaded: number; bytesTotal: number }): {
  detail: string;
  fraction: number | null;
} {
  // A server that does not say how much is coming leaves the total at 0.
  if (bytesTotal === 0) return { detail: formatBytes(bytesLoaded), fraction: null };
  const fraction = bytesLoaded / bytesTotal;
  return { detail: `${formatPercent(fraction)} of ${formatBytes(bytesTotal)}`, fraction };
}
