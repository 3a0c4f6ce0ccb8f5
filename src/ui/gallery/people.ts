import type {
  AnswerView,
  DeviceStatus,
  DeviceView,
  LapView,
  ModelView,
  PlanReasons,
  PlanView,
} from '../../room/index.ts';

export const stories: ModelView = {
  name: 'stories15m',
  title: 'Stories 15M',
  licence: 'MIT',
  layers: 8,
  contextLength: 256,
  bytes: 60_816_000,
  chat: false,
  switches: [],
  sampling: {},
};

export const tinyLlama: ModelView = {
  name: 'tinyllama-chat',
  title: 'TinyLlama 1.1B Chat',
  licence: 'Apache-2.0',
  layers: 24,
  contextLength: 2048,
  bytes: 322_591_712,
  chat: true,
  switches: ['enable_thinking'],
  sampling: {},
};

export function device(id: string, change: Partial<DeviceView> = {}): DeviceView {
  return {
    id,
    label: id === 'host' ? 'Chrome on Linux' : 'Chrome on Android',
    isThisDevice: id === 'host',
    status: { kind: 'ready' },
    layers: [],
    compute: {
      backend: 'webgpu',
      adapter: 'apple m2',
      weights: 'f16',
      blockMs: 1.24,
      headMs: 4.6,
    },
    memory: { budgetBytes: 2_000_000_000, usedBytes: 41_200_000 },
    bytesLoaded: 24_000_000,
    emulation: null,
    stages: [],
    isHidden: false,
    link: id === 'host' ? null : { latencyMs: 2.1, mbps: 54.2, relayed: false },
    ...change,
  };
}

export function everyStatus(): DeviceStatus[] {
  return [
    { kind: 'connecting' },
    { kind: 'preparing', bytesLoaded: 8_300_000, bytesTotal: 23_000_000 },
    { kind: 'measuring', fraction: 0.4 },
    { kind: 'standby', ready: [{ first: 3, last: 4 }] },
    { kind: 'loading', bytesLoaded: 10_300_000, bytesTotal: 24_000_000 },
    { kind: 'ready' },
    { kind: 'computing' },
    { kind: 'reconnecting' },
    { kind: 'away' },
    {
      kind: 'failed',
      reason:
        'The GPU was lost while loading block 5. Close other tabs that draw, then join again.',
    },
  ];
}

export const threeDevices: DeviceView[] = [
  device('host', {
    layers: [
      { first: 0, last: 2 },
      { first: 7, last: 7 },
    ],
    status: { kind: 'computing' },
  }),
  device('a', {
    label: 'Safari on iPhone',
    layers: [{ first: 3, last: 4 }],
    compute: { backend: 'wasm', adapter: '', weights: 'q8', blockMs: 2.9, headMs: 9.1 },
    memory: { budgetBytes: 600_000_000, usedBytes: 8_100_000 },
    link: { latencyMs: 3.4, mbps: 31, relayed: true },
  }),
  device('b', { label: 'Firefox on Windows', layers: [{ first: 5, last: 6 }] }),
];

export const threeStages: PlanView = {
  planVersion: 3,
  stages: [
    { device: 'host', first: 0, last: 2 },
    { device: 'a', first: 3, last: 4 },
    { device: 'b', first: 5, last: 6 },
    { device: 'host', first: 7, last: 7 },
  ],
  predictedMsPerToken: 23.4,
  why: 'Three devices share the model: 23.4 ms a token, where this laptop alone would need 38.1 ms.',
  status: 'running',
};

export const alone: PlanView = {
  planVersion: 1,
  stages: [{ device: 'host', first: 0, last: 7 }],
  predictedMsPerToken: 12,
  why: 'This laptop alone holds the whole model; no other device is here.',
  status: 'running',
};

/** How laps of `threeStages` went. */
export const measuredLap: LapView = {
  planVersion: 3,
  lapMs: 24.3,
  stages: [
    { stage: 0, queueMs: 0, computeMs: 2.6, wireMs: 0 },
    { stage: 1, queueMs: 0.7, computeMs: 6.1, wireMs: 1.7 },
    { stage: 2, queueMs: 0.2, computeMs: 2.4, wireMs: 2.9 },
    { stage: 3, queueMs: 0.1, computeMs: 4.8, wireMs: 1.1 },
  ],
};

export const reasons: PlanReasons = {
  alternatives: [
    { name: 'even', ms: 24.9, why: 'it would take 1.5 ms more (6 %)' },
    { name: 'without b', ms: 27.2, why: 'it would take 3.8 ms more (16 %)' },
    { name: 'solo', ms: 38.1, why: 'it would take 14.7 ms more (63 %)' },
    { name: 'best-single', ms: null, why: 'the model does not fit, or a link is missing' },
  ],
  limits: [
    { kind: 'speed', where: 'a', gainMs: 2.9 },
    { kind: 'link', where: 'host → a', gainMs: 0.85 },
  ],
  oneMore: [{ device: 'b', gainMs: 1.2 }],
};

export function answer(change: Partial<AnswerView> = {}): AnswerView {
  return {
    id: 1,
    asker: 'host',
    prompt: 'Once upon a time',
    text: ', there was a little girl named Lily. She loved to play outside in the sunshine. One day, she saw a big, red apple on the ground. She wanted to eat it, but it was too high up for her to reach.',
    status: { kind: 'done', because: 'end' },
    promptTokens: 5,
    newTokens: 52,
    ttftMs: 84,
    msPerToken: 24.1,
    predictedMsPerToken: 23.4,
    lap: null,
    ...change,
  };
}

/** What an answer lacks before its first token. */
export const unanswered = {
  text: '',
  newTokens: 0,
  ttftMs: null,
  msPerToken: null,
  lap: null,
} as const;
