import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  parseDeviceMessage,
  parseHostMessage,
  type DeviceMessage,
  type HostMessage,
} from './index.ts';

const fingerprint = 'ab'.repeat(32);

const hostMessages: HostMessage[] = [
  {
    kind: 'welcome',
    deviceId: 'a',
    model: {
      kind: 'shards',
      manifestUrl: 'shards/stories15m/manifest.json',
      sha256: fingerprint,
    },
    weights: 'auto',
    wire: 'f16',
    maxBatch: 16,
    contextLength: 256,
  },
  { kind: 'connect', deviceId: 'b', peerId: 'k3f9', fingerprint, dial: true },
  { kind: 'measure-link', deviceId: 'b' },
  {
    kind: 'deploy',
    planVersion: 1,
    stages: [
      { device: 'host', first: 0, last: 6 },
      { device: 'a', first: 7, last: 7 },
    ],
    lapMs: 12.5,
    why: 'Two devices need 12.5 ms a token.',
    dropFirst: false,
  },
  { kind: 'keep-laps', planVersions: [1, 2] },
  { kind: 'release', sequence: 7 },
  { kind: 'most-sequences', most: 8 },
  { kind: 'keep-sequences', sequences: [3, 7], upTo: 7 },
  { kind: 'report-progress', planVersion: 1, sequence: 7 },
  { kind: 'layer-sources', layer: 3, devices: ['host', 'b'], sha256: [fingerprint] },
  { kind: 'asking', mode: 'approve' },
  {
    kind: 'answer',
    request: 0,
    added: ' a girl',
    status: { kind: 'paused', reason: 'Phone left.' },
    promptTokens: 5,
    newTokens: 2,
    ttftMs: 40,
    msPerToken: null,
    predictedMsPerToken: 12.5,
  },
  { kind: 'left', deviceId: 'zz' },
  { kind: 'prove-again' },
  { kind: 'tap-boundary', planVersion: 1, sequence: 2, stage: 3 },
  { kind: 'report-boundary', planVersion: 1, sequence: 2, stage: 3 },
  { kind: 'notice', text: 'Chrome on Linux (a) was dropped.' },
  { kind: 'ended', reason: 'The host closed the room.' },
];

const deviceMessages: DeviceMessage[] = [
  { kind: 'hello', label: 'Chrome on Android' },
  { kind: 'status', status: { kind: 'ready' }, usedBytes: 1, bytesLoaded: 2 },
  {
    kind: 'status',
    status: { kind: 'loading', bytesLoaded: 1, bytesTotal: 2 },
    usedBytes: 1,
    bytesLoaded: 2,
  },
  {
    kind: 'profile',
    fellBack: null,
    adapter: 'apple m2',
    compute: {
      backend: 'webgpu',
      weights: 'f16',
      embedMs: 0,
      blockMs: 0.2,
      attendMs: 0.001,
      headMs: 1,
      prefillBlockMs: 0.1,
      prefillChunk: 24,
      embedBytes: 1,
      blockBytes: 2,
      headBytes: 3,
    },
    callMs: 0.1,
    budgetBytes: 1e9,
  },
  { kind: 'budget', budgetBytes: 0 },
  {
    kind: 'ask',
    request: 0,
    text: 'Once upon a time',
    maxNewTokens: 96,
    sampling: {
      temperature: 0.8,
      topK: 40,
      topP: 0.9,
      minP: 0.05,
      repetitionPenalty: 1.1,
      seed: null,
    },
  },
  { kind: 'stop', request: 0 },
  { kind: 'keeps-layer', layer: 3, sha256: [] },
  { kind: 'weights-disputed', deviceId: 'b', file: 1, offset: 0, bytes: 4096 },
  { kind: 'link', deviceId: 'host', profile: null, fault: 'it sent what is no frame' },
  {
    kind: 'link',
    deviceId: 'b',
    profile: { latencyMs: 1, p90LatencyMs: 2, mbps: 50 },
    fault: null,
  },
  { kind: 'connected', deviceId: 'b', reached: false },
  { kind: 'ready', planVersion: 1 },
  { kind: 'unable', planVersion: 1, reason: 'it broke' },
  {
    kind: 'stage-failed',
    planVersion: 1,
    sequence: 0,
    reason: 'it broke',
    fault: 'own',
    blames: null,
  },
  {
    kind: 'stage-failed',
    planVersion: 1,
    sequence: 0,
    reason: 'not finite',
    fault: 'state',
    blames: 'b',
  },
  { kind: 'progress', planVersion: 1, sequence: 4, stages: [{ stage: 1, taken: 3, given: 2 }] },
  { kind: 'proved' },
  { kind: 'disproved', reason: 'Layer 3 came out wrong.' },
];

const sides = [
  { side: 'host', parse: parseHostMessage, messages: hostMessages },
  { side: 'device', parse: parseDeviceMessage, messages: deviceMessages },
];

describe.each(sides)("the $side's messages", ({ side, parse, messages }) => {
  it('come through as they are, also as JSON', () => {
    for (const message of messages) {
      expect(parse(message)).toEqual(message);
      expect(parse(JSON.parse(JSON.stringify(message)))).toEqual(message);
    }
  });

  it('are refused in one sentence, never a crash, when they are anything else', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(() => parse(value)).toThrow(new RegExp(`^a message of the ${side} is not valid: `));
      }),
      { numRuns: 500 },
    );
  });

  it('are refused with any one field missing', () => {
    for (const message of messages) {
      for (const field of Object.keys(message)) {
        const rest = Object.fromEntries(Object.entries(message).filter(([key]) => key !== field));
        expect(() => parse(rest), `${message.kind} without ${field}`).toThrow(/is not valid/);
      }
    }
  });

  it('pass only valid when any one field holds something else', () => {
    fc.assert(
      fc.property(fc.constantFrom(...messages), fc.nat(), fc.jsonValue(), (message, at, value) => {
        const fields = Object.keys(message);
        const changed = { ...message, [fields[at % fields.length]]: value };
        let passed: unknown;
        try {
          passed = parse(changed);
        } catch (error) {
          expect(String(error)).toMatch(/is not valid/);
          return;
        }
        // Whatever passes is understood the same way a second time: nothing half-checked goes through.
        expect(parse(passed)).toEqual(passed);
      }),
      { numRuns: 1000 },
    );
  });

  it('carry no field that nobody knows', () => {
    for (const message of messages)
      expect(parse({ ...message, extra: { constructor: 1 } })).toEqual(message);
  });
});

describe('a message out of bounds', () => {
  const [, meet, , assign] = hostMessages;
  const profile = deviceMessages[3];
  it.each<[string, () => unknown]>([
    ['a plan version of none', () => parseHostMessage({ kind: 'keep-laps', planVersions: [0] })],
    [
      'a plan version past 32 bits',
      () => parseHostMessage({ kind: 'keep-laps', planVersions: [2 ** 32] }),
    ],
    ['no laps at all', () => parseHostMessage({ kind: 'keep-laps', planVersions: [] })],
    ['half a sequence', () => parseHostMessage({ kind: 'release', sequence: 0.5 })],
    ['a device with markup', () => parseHostMessage({ kind: 'left', deviceId: '<b>' })],
    ['a fingerprint cut short', () => parseHostMessage({ ...meet, fingerprint: 'ab' })],
    [
      'a stage that ends before it starts',
      () => parseHostMessage({ ...assign, stages: [{ device: 'a', first: 3, last: 2 }] }),
    ],
    ['no stage', () => parseHostMessage({ ...assign, stages: [] })],
    ['a long label', () => parseDeviceMessage({ kind: 'hello', label: 'x'.repeat(81) })],
    ['a negative budget', () => parseDeviceMessage({ kind: 'budget', budgetBytes: -1 })],
    ['a time that is no number', () => parseDeviceMessage({ ...profile, callMs: NaN })],
    ['a time without end', () => parseDeviceMessage({ ...profile, callMs: Infinity })],
    [
      'a link without bandwidth',
      () =>
        parseDeviceMessage({
          kind: 'link',
          deviceId: 'b',
          profile: { latencyMs: 1, p90LatencyMs: 1, mbps: 0 },
        }),
    ],
  ])('is refused: %s', (_, parse) => {
    expect(parse).toThrow(/is not valid/);
  });
});
