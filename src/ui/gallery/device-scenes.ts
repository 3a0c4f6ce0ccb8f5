import { alone, answer, device, threeStages, unanswered } from './people.ts';
import { closed, host, scene, starting, type Scenes } from './scene.ts';
import type { RoomView } from '../../room/index.ts';

const asDevice: RoomView = {
  ...host,
  role: 'device',
  link: null,
  asking: 'off',
  door: null,
  devices: [device('a', { isThisDevice: true, label: 'Safari on iPhone' })],
  notices: [],
};

export const deviceScenes: Scenes = {
  'device-joining': scene(asDevice, {
    phase: starting('Proving the invitation'),
    devices: [],
    model: null,
    plan: null,
  }),
  'device-knocking': scene(asDevice, {
    phase: { kind: 'knocking', code: '4821 9036 5517' },
    devices: [],
    model: null,
    plan: null,
  }),
  'device-measuring': scene(asDevice, {
    plan: null,
    devices: [
      device('a', {
        isThisDevice: true,
        compute: null,
        link: null,
        status: { kind: 'measuring', fraction: 0.4 },
        memory: { budgetBytes: 0, usedBytes: 0 },
      }),
    ],
  }),
  'device-loading': scene(asDevice, {
    plan: { ...threeStages, status: 'loading' },
    devices: [
      device('a', {
        isThisDevice: true,
        status: { kind: 'loading', bytesLoaded: 10_300_000, bytesTotal: 24_000_000 },
      }),
    ],
  }),
  'device-computing': scene(asDevice, {
    devices: [
      device('a', {
        isThisDevice: true,
        layers: [{ first: 3, last: 4 }],
        status: { kind: 'computing' },
        stages: [{ stage: 1, queueMs: 0.7, computeMs: 2.6, wireMs: 1.7 }],
      }),
    ],
  }),
  'device-asking': scene(asDevice, {
    asking: 'approve',
    devices: [
      device('a', {
        isThisDevice: true,
        layers: [{ first: 3, last: 4 }],
        status: { kind: 'computing' },
      }),
    ],
    answers: [
      answer({ asker: 'a', status: { kind: 'writing' } }),
      answer({
        ...unanswered,
        id: 2,
        asker: 'a',
        prompt: 'The little dragon',
        status: { kind: 'awaiting-approval' },
      }),
    ],
  }),
  'device-spare': scene(asDevice, {
    plan: alone,
    devices: [
      device('a', {
        isThisDevice: true,
        status: { kind: 'standby', ready: [{ first: 3, last: 4 }] },
      }),
    ],
  }),
  'device-reconnecting': scene(asDevice, {
    devices: [
      device('a', {
        isThisDevice: true,
        layers: [{ first: 3, last: 4 }],
        status: { kind: 'reconnecting' },
      }),
    ],
  }),
  'device-failed': scene(asDevice, {
    devices: [
      device('a', {
        isThisDevice: true,
        status: {
          kind: 'failed',
          reason:
            'The GPU was lost while loading block 5. Close other tabs that draw, then join again.',
        },
      }),
    ],
  }),
  'device-waiting-for-host': scene(asDevice, {
    phase: starting(
      'Waiting for the room to come back. The host’s page was closed, or lost its connection.',
    ),
    devices: [],
    plan: null,
  }),
  'closed-removed': scene(asDevice, {
    phase: closed('The host removed this device from the room.'),
  }),
  'closed-device': scene(asDevice, {
    phase: closed(
      'The host ended the room, or its tab was closed. Ask for a new link, or join again once the host is back.',
    ),
  }),
};
