import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { HostMessage } from '../../protocol/index.ts';
import type { AskRequest } from '../../room.ts';
import type { AnswerStatus, AnswerView, AskingMode } from '../../view.ts';
import { greedy } from '../decoding/sampler.ts';
import { createVisitors, type Visitors } from './visitors.ts';

type Told = Extract<HostMessage, { kind: 'answer' }>;

let told: Told[];
let mode: AskingMode;
let visitors: Visitors;
let asked: AskRequest[];
/** What the room says of the question that was asked last. */
let say: (text: string, status?: AnswerStatus) => void;

beforeEach(() => {
  vi.useFakeTimers();
  told = [];
  asked = [];
  mode = 'open';
  visitors = createVisitors({
    answers: {
      ask(request: AskRequest, { id, onAnswer }) {
        asked.push(request);
        say = (text, status = { kind: 'writing' }) => onAnswer(viewOf(id, text, status));
        return { id: 1, stop: () => undefined, done: new Promise(() => undefined) };
      },
      stopAll: () => undefined,
    },
    mode: () => mode,
    tell: (_, message) => {
      if (message.kind === 'answer') told.push(message);
    },
  });
});

afterEach(() => void vi.useRealTimers());

function viewOf(asker: string, text: string, status: AnswerStatus): AnswerView {
  return {
    id: 1,
    asker,
    prompt: 'Once',
    text,
    status,
    promptTokens: 1,
    newTokens: text.length,
    ttftMs: 1,
    msPerToken: 1,
    predictedMsPerToken: 1,
    lap: null,
  };
}

function ask(request: number): void {
  const text = 'Once upon a time';
  visitors.ask('a', { kind: 'ask', request, text, maxNewTokens: 500, sampling: greedy });
}

it('asks with the switches that the device sent', () => {
  const switches = [{ name: 'enable_thinking', isOn: false }];
  const question = { request: 0, text: 'Once', maxNewTokens: 5, sampling: greedy };
  visitors.ask('a', { kind: 'ask', ...question, switches });
  visitors.ask('a', { kind: 'ask', ...question, request: 1 });
  expect(asked.map((request) => request.switches)).toEqual([{ enable_thinking: false }, {}]);
});

it('streams an answer in few messages, and loses none of it', async () => {
  ask(0);
  let text = '';
  for (let token = 0; token < 400; token++) {
    text += 'x';
    say(text);
    await vi.advanceTimersByTimeAsync(2);
  }
  say(text, { kind: 'done', because: 'end' });
  expect(told.map(({ added }) => added).join('')).toBe(text);
  // 800 ms at twenty a second, and the first and the last at once.
  expect(told.length).toBeLessThanOrEqual(19);
  expect(told.at(-1)?.status.kind).toBe('done');
});

it('tells the first token at once, and the last of a pause a moment later', async () => {
  ask(0);
  say('', { kind: 'reading', tokensRead: 3 });
  say('a');
  expect(told.map(({ added }) => added)).toEqual(['', 'a']);
  say('ab');
  expect(told).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(50);
  expect(told.at(-1)?.added).toBe('b');
});

it('refuses a fifth question while four are open, and any while nobody may ask', () => {
  for (let request = 0; request < 5; request++) ask(request);
  expect(told.map(({ request, status }) => [request, status.kind])).toEqual([[4, 'failed']]);
  mode = 'off';
  ask(5);
  expect(told.at(-1)?.status).toEqual({
    kind: 'failed',
    reason: 'The host answers only its own questions at the moment.',
  });
});

it('ends with a device that asks faster than a person can', async () => {
  for (let request = 0; request < 30; request++) ask(request);
  expect(() => ask(30)).toThrow('more questions than any person');
  await vi.advanceTimersByTimeAsync(5000);
  expect(() => ask(31)).not.toThrow();
});
