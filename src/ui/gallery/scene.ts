import type { ServerInfo } from '../server-info.ts';
import { stories, threeDevices, threeStages } from './people.ts';
import type { RoomView, StorageUsage } from '../../room/index.ts';

export type Scene =
  | {
      kind: 'start';
      server: ServerInfo | null;
      modelName: string | null;
      problem: string;
    }
  | { kind: 'room'; view: RoomView }
  | { kind: 'live' }
  | { kind: 'storage'; usage: StorageUsage | null; nowMs: number }
  | { kind: 'broken-link' }
  | { kind: 'parts' };

export type Scenes = Record<string, Scene>;

export const link =
  'https://192.168.1.20:8443/#room=k3f9a7c2d1&key=q83vEjRWeJCrze8BI0VniavN7wEjRWeJq83vASNFZ4k';

export const host: RoomView = {
  role: 'host',
  phase: { kind: 'open' },
  link,
  model: stories,
  devices: threeDevices,
  plan: threeStages,
  waitingFor: null,
  asking: 'approve',
  door: { mode: 'open', knocks: [] },
  answers: [],
  notices: [
    { id: 1, text: 'Safari on iPhone joined as a.' },
    { id: 2, text: 'Firefox on Windows joined as b.' },
  ],
};

export const starting = (step: string): RoomView['phase'] => ({ kind: 'starting', step });
export const closed = (reason: string): RoomView['phase'] => ({ kind: 'closed', reason });
export const scene = (view: RoomView, change: Partial<RoomView>): Scene => ({
  kind: 'room',
  view: { ...view, ...change },
});
