/** Every state of every screen, by name: `?gallery=NAME` shows one of them. */
import type { RoomView } from '../../room/view.ts';
import type { PageOptions } from '../page-options.ts';
import { staticHost, type ServerInfo } from '../server-info.ts';
import { alone, answer, device, stories, threeDevices, threeStages, tinyLlama } from './people.ts';
import { tokens } from './story.ts';

export type Scene =
  | {
      kind: 'start';
      server: ServerInfo | null;
      modelName: PageOptions['modelName'];
      problem: string;
    }
  | { kind: 'room'; view: RoomView }
  | { kind: 'live' }
  | { kind: 'broken-link' }
  | { kind: 'parts' };

const link =
  'https://192.168.1.20:8443/#room=k3f9a7c2d1&key=q83vEjRWeJCrze8BI0VniavN7wEjRWeJq83vASNFZ4k';

const host: RoomView = {
  role: 'host',
  phase: { kind: 'open' },
  link,
  model: stories,
  devices: threeDevices,
  plan: threeStages,
  waitingFor: null,
  asking: 'approve',
  answers: [],
  notices: [
    { id: 1, text: 'Safari on iPhone joined as a.' },
    { id: 2, text: 'Firefox on Windows joined as b.' },
  ],
};

const lone: RoomView = {
  ...host,
  devices: [device('host', { rows: [{ first: 0, last: 7 }] })],
  plan: alone,
  notices: [],
};

const unanswered = {
  text: '',
  newTokens: 0,
  ttftMs: null,
  msPerToken: null,
} as const;

const asDevice: RoomView = {
  ...host,
  role: 'device',
  link: null,
  asking: 'off',
  devices: [device('a', { isThisDevice: true, label: 'Safari on iPhone' })],
  notices: [],
};

const starting = (step: string): RoomView['phase'] => ({ kind: 'starting', step });
const closed = (reason: string): RoomView['phase'] => ({ kind: 'closed', reason });
const scene = (view: RoomView, change: Partial<RoomView>): Scene => ({
  kind: 'room',
  view: { ...view, ...change },
});

const served: ServerInfo = {
  models: [
    ...staticHost.models,
    {
      name: 'tinyllama-chat',
      title: 'TinyLlama 1.1B Chat',
      licence: 'Apache-2.0',
      manifestPath: 'shards/tinyllama-chat/manifest.json',
      bytes: 322_591_712,
    },
  ],
  lanOrigins: ['https://192.168.1.20:8443'],
};

const manyDevices = [
  device('host', {
    rows: [
      { first: 0, last: 2 },
      { first: 23, last: 23 },
    ],
  }),
  ...'abcdefghi'.split('').map((id, index) =>
    device(id, {
      rows: [{ first: 3 + index * 2, last: index === 8 ? 22 : 4 + index * 2 }],
      link: { latencyMs: 1.5 + index, mbps: 20 + 7 * index },
    }),
  ),
];

export const scenes: Record<string, Scene> = {
  start: { kind: 'start', server: served, modelName: null, problem: '' },
  'start-static': { kind: 'start', server: staticHost, modelName: null, problem: '' },
  'start-asking': { kind: 'start', server: null, modelName: null, problem: '' },
  'start-unknown-model': { kind: 'start', server: served, modelName: 'gpt-9', problem: '' },
  'host-starting': scene(host, {
    phase: starting('Fetching the ONNX Runtime, once for this browser'),
    link: null,
    plan: null,
    devices: [
      device('host', {
        status: { kind: 'preparing', bytesLoaded: 8_300_000, bytesTotal: 23_000_000 },
      }),
    ],
  }),
  'host-waiting': scene(lone, {
    plan: null,
    waitingFor: {
      kind: 'memory',
      sentence: 'The model needs 323 MB and this room has 200 MB: let one more device join.',
    },
    devices: [device('host', { status: { kind: 'spare' } })],
  }),
  'host-alone': scene(lone, {}),
  'host-this-computer-only': scene(lone, { link: link.replace('192.168.1.20', 'localhost') }),
  'host-loading': scene(host, {
    plan: { ...threeStages, status: 'loading' },
    devices: [
      device('host', { rows: [{ first: 0, last: 7 }] }),
      { ...threeDevices[1], rows: [], status: { kind: 'measuring', fraction: 0.4 } },
      {
        ...threeDevices[2],
        rows: [],
        status: { kind: 'loading', bytesLoaded: 10_300_000, bytesTotal: 24_000_000 },
      },
    ],
  }),
  'host-reading': scene(host, {
    answers: [
      answer({
        text: '',
        status: { kind: 'reading', tokensRead: 3 },
        ttftMs: null,
        msPerToken: null,
        newTokens: 0,
      }),
    ],
  }),
  'host-writing': scene(host, { answers: [answer({ status: { kind: 'writing' } })] }),
  'host-answers': scene(host, {
    answers: [
      answer({}),
      answer({
        id: 2,
        prompt: 'The little dragon was afraid of',
        status: { kind: 'done', because: 'length' },
        text: tokens.join(''),
      }),
      answer({
        id: 3,
        status: { kind: 'done', because: 'stopped' },
        text: ', there',
        msPerToken: 26,
      }),
    ],
  }),
  'host-visitors': scene(host, {
    answers: [
      answer({ status: { kind: 'writing' } }),
      answer({ id: 2, asker: 'a', prompt: 'The little dragon', status: { kind: 'writing' } }),
      answer({
        ...unanswered,
        id: 3,
        asker: 'b',
        prompt: 'Tom had a boat that could fly and',
        status: { kind: 'awaiting-approval' },
      }),
      answer({
        ...unanswered,
        id: 4,
        asker: 'a',
        prompt: 'In the garden',
        status: { kind: 'queued', place: 2 },
      }),
    ],
  }),
  'host-paused': scene(host, {
    answers: [
      answer({
        status: {
          kind: 'paused',
          reason: 'Firefox on Windows left; its rows are loading elsewhere.',
        },
      }),
    ],
    notices: [...host.notices, { id: 3, text: 'Firefox on Windows left.' }],
  }),
  'host-failed': scene(host, {
    answers: [
      answer({
        text: '',
        newTokens: 0,
        ttftMs: null,
        msPerToken: null,
        status: {
          kind: 'failed',
          reason:
            'The prompt has 300 tokens and the model’s context holds 256. Shorten it by 44 tokens.',
        },
      }),
    ],
  }),
  'host-markup': scene(host, {
    devices: [
      threeDevices[0],
      device('a', { label: '<b onclick="alert(1)">Bold</b> on <script>alert(2)</script>' }),
    ],
    answers: [
      answer({
        prompt: '<img src=x onerror="globalThis.hacked = 1">',
        text: '<img src=x onerror="globalThis.hacked = 2"><h1>Big</h1>',
      }),
    ],
    notices: [{ id: 1, text: '<img src=x onerror="globalThis.hacked = 3"> joined' }],
  }),
  'host-chat-many': scene(host, {
    model: tinyLlama,
    devices: manyDevices,
    plan: {
      ...threeStages,
      predictedMsPerToken: 132,
      stages: manyDevices
        .flatMap(({ id, rows }) => rows.slice(0, 1).map((range) => ({ ...range, device: id })))
        .concat({ device: 'host', first: 23, last: 23 }),
      why: 'Ten devices hold the model; none of them could hold it alone.',
    },
    answers: [
      answer({
        prompt: 'What is the capital of France?',
        text: 'The capital of France is Paris.',
        predictedMsPerToken: 132,
        msPerToken: 139,
      }),
    ],
  }),
  'device-joining': scene(asDevice, {
    phase: starting('Proving the invitation'),
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
        rows: [{ first: 3, last: 4 }],
        status: { kind: 'computing' },
      }),
    ],
  }),
  'device-asking': scene(asDevice, {
    asking: 'approve',
    devices: [
      device('a', {
        isThisDevice: true,
        rows: [{ first: 3, last: 4 }],
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
    devices: [device('a', { isThisDevice: true, status: { kind: 'spare' } })],
  }),
  'device-failed': scene(asDevice, {
    devices: [
      device('a', {
        isThisDevice: true,
        status: {
          kind: 'failed',
          reason:
            'The GPU was lost while loading row 5. Close other tabs that draw, then join again.',
        },
      }),
    ],
  }),
  'closed-host': scene(lone, { phase: closed('You ended the room.') }),
  'closed-device': scene(asDevice, {
    phase: closed(
      'The host ended the room, or its tab was closed. Ask for a new link, or join again once the host is back.',
    ),
  }),
  'broken-link': { kind: 'broken-link' },
  live: { kind: 'live' },
  parts: { kind: 'parts' },
};
