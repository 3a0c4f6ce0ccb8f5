/** What a device is doing, in the words and the tone the screen uses for it. */
import type { DeviceStatus } from '../../room/view.ts';
import { formatBytes, formatPercent } from '../format.ts';

export interface StatusText {
  text: string;
  /** How far it is, 0 to 1; null where nothing is under way. */
  fraction: number | null;
  tone: 'idle' | 'busy' | 'live' | 'alarm';
}

export function statusText(status: DeviceStatus): StatusText {
  switch (status.kind) {
    case 'connecting':
      return { text: 'Connecting', fraction: null, tone: 'busy' };
    case 'preparing':
      return { ...progress('Fetching the runtime', status), tone: 'busy' };
    case 'measuring':
      return {
        text: `Measuring its speed, ${formatPercent(status.fraction)}`,
        fraction: status.fraction,
        tone: 'busy',
      };
    case 'spare':
      return { text: 'Spare: the plan is faster without it', fraction: null, tone: 'idle' };
    case 'loading':
      return { ...progress('Loading its rows', status), tone: 'busy' };
    case 'ready':
      return { text: 'Ready', fraction: null, tone: 'idle' };
    case 'computing':
      return { text: 'Computing', fraction: null, tone: 'live' };
    case 'failed':
      return { text: status.reason, fraction: null, tone: 'alarm' };
  }
}

function progress(
  doing: string,
  { bytesLoaded, bytesTotal }: { bytesLoaded: number; bytesTotal: number },
): { text: string; fraction: number | null } {
  // A server that does not say how much is coming leaves the total at 0.
  if (bytesTotal === 0) return { text: `${doing}, ${formatBytes(bytesLoaded)}`, fraction: null };
  const fraction = bytesLoaded / bytesTotal;
  return { text: `${doing}, ${formatPercent(fraction)} of ${formatBytes(bytesTotal)}`, fraction };
}
