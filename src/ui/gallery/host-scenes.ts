import {
  alone,
  answer,
  device,
  measuredLap,
  threeDevices,
  threeStages,
  tinyLlama,
  unanswered,
} from './people.ts';
import { closed, host, link, scene, starting, type Scenes } from './scene.ts';
import { tokens } from './story.ts';
import type { RoomView } from '../../room/index.ts';

const lone: RoomView = {
  ...host,
  devices: [device('host', { layers: [{ first: 0, last: 7 }] })],
  plan: alone,
  notices: [],
};

const manyDevices = [
  device('host', {
    layers: [
      { first: 0, last: 2 },
      { first: 23, last: 23 },
    ],
  }),
  ...'abcdefghi'.split('').map((id, index) =>
    device(id, {
      layers: [{ first: 3 + index * 2, last: index === 8 ? 22 : 4 + index * 2 }],
      link: { latencyMs: 1.5 + index, mbps: 20 + 7 * index, relayed: false },
    }),
  ),
];

export const hostScenes: Scenes = {
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
    devices: [device('host', { status: { kind: 'standby', ready: [] } })],
  }),
  'host-alone': scene(lone, {}),
  'host-this-computer-only': scene(lone, { link: link.replace('192.168.1.20', 'localhost') }),
  'host-loading': scene(host, {
    plan: { ...threeStages, status: 'loading' },
    devices: [
      device('host', { layers: [{ first: 0, last: 7 }] }),
      { ...threeDevices[1], layers: [], status: { kind: 'measuring', fraction: 0.4 } },
      {
        ...threeDevices[2],
        layers: [],
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
  'host-writing': scene(host, {
    answers: [answer({ status: { kind: 'writing' }, lap: measuredLap })],
  }),
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
  'host-knocks': scene(host, {
    door: {
      mode: 'approve',
      knocks: [
        { id: 1, label: 'Safari on iPhone', code: '4821 9036 5517' },
        { id: 2, label: 'Chrome on Android', code: '0077 1265 9430' },
      ],
    },
    answers: [answer({ status: { kind: 'writing' } })],
  }),
  'host-locked': scene(host, { door: { mode: 'locked', knocks: [] } }),
  'host-slowed-link': scene(host, {
    devices: [
      threeDevices[0],
      {
        ...threeDevices[1],
        isHidden: true,
        emulation: { delayMs: 20, jitterMs: 5, lossRate: 0.01, mbps: 50 },
      },
      threeDevices[2],
    ],
  }),
  'host-paused': scene(host, {
    answers: [
      answer({
        status: {
          kind: 'paused',
          reason: 'Firefox on Windows left; its layers are loading elsewhere.',
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
    door: {
      mode: 'approve',
      knocks: [{ id: 1, label: '<b>Somebody</b> at the door', code: '0077 1265 9430' }],
    },
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
        .flatMap(({ id, layers }) => layers.slice(0, 1).map((range) => ({ ...range, device: id })))
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
  /** One of each: two that compute, one that left for a moment, one that measures, one to spare. */
  'host-healing': scene(host, {
    devices: [
      ...threeDevices.slice(0, 2),
      { ...threeDevices[2], status: { kind: 'reconnecting' }, link: null },
      device('c', { status: { kind: 'measuring', fraction: 0.7 }, compute: null, link: null }),
      device('d', {
        label: 'Edge on Windows',
        isHidden: true,
        status: { kind: 'standby', ready: [{ first: 3, last: 4 }] },
      }),
    ],
    answers: [
      answer({
        status: {
          kind: 'paused',
          reason: 'Firefox on Windows lost its connection; the answer goes on when it is back.',
        },
      }),
    ],
    notices: [
      ...host.notices,
      { id: 3, text: 'Firefox on Windows (b): the connection broke, and is being made anew.' },
    ],
  }),
  'closed-model': scene(lone, {
    phase: {
      kind: 'closed',
      reason:
        'this model is a "mamba2", an architecture that is not supported; these are: llama, mistral, qwen2, qwen3, phi3, gemma2, gemma3_text',
      problem: {
        instead:
          'Take a model of a family that runs here, such as HuggingFaceTB/SmolLM2-135M-Instruct or Qwen/Qwen2.5-0.5B-Instruct.',
        report: [
          'browser: Chrome on Android',
          'chosen as: hub',
          'refused       this model is a "mamba2", an architecture that is not supported; these are: llama, mistral, qwen2, qwen3, phi3, gemma2, gemma3_text',
          'kind          folder',
          'base address  https://huggingface.co/someone/a-model-with-a-rather-long-name-instruct/resolve/main/',
          'family        mamba2',
          'layers        48',
        ].join('\n'),
      },
    },
  }),
  'closed-host': scene(lone, { phase: closed('You ended the room.') }),
};
