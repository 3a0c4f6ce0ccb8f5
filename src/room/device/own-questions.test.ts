import { beforeEach, describe, expect, it } from 'vitest';
import type { DeviceMessage, HostMessage } from '../protocol/index.ts';
import type { Answer, AskRequest } from '../room.ts';
import { greedy } from '../host/decoding/sampler.ts';
import type { AnswerView } from '../view.ts';
import { createOwnQuestions, type OwnQuestions } from './own-questions.ts';

type Update = Extract<HostMessage, { kind: 'answer' }>;

const request: AskRequest = {
  prompt: { kind: 'text', text: 'Once upon a time' },
  sampling: { ...greedy, temperature: 1 },
  maxNewTokens: 20,
  topLogits: 0,
};

function update(added: string, change: Partial<Update> = {}): Update {
  return {
    kind: 'answer',
    request: 0,
    added,
    status: { kind: 'writing' },
    promptTokens: 5,
    newTokens: 1,
    ttftMs: 3,
    msPerToken: null,
    predictedMsPerToken: 2,
    ...change,
  };
}

describe("a device's own questions", () => {
  let questions: OwnQuestions;
  let views: AnswerView[];
  let sent: DeviceMessage[];
  let answer: Answer;

  beforeEach(() => {
    sent = [];
    questions = createOwnQuestions((shown) => (views = shown));
    questions.reach((message) => sent.push(message), 'a');
    answer = questions.ask(request);
  });

  it('go to the host with a seed of their own', () => {
    const [question] = sent;
    if (question.kind !== 'ask') throw new Error('a question should have been sent');
    expect(question).toMatchObject({ request: 0, text: 'Once upon a time', maxNewTokens: 20 });
    expect(question.sampling.seed).not.toBeNull();
    questions.ask({ ...request, sampling: { ...request.sampling, seed: 0 } });
    expect(sent[1]).toMatchObject({ request: 1, sampling: { seed: 0 } });
  });

  it('go to the host with what was set of the model’s switches', () => {
    questions.ask({ ...request, switches: { enable_thinking: true } });
    expect(sent[1]).toMatchObject({ switches: [{ name: 'enable_thinking', isOn: true }] });
    expect(sent[0]).not.toHaveProperty('switches');
  });

  it('show their answers as they grow, and end with the whole', async () => {
    questions.onAnswer(update(', there'));
    expect(views[0]).toMatchObject({ text: ', there', asker: 'a', status: { kind: 'writing' } });
    questions.onAnswer(update(' was', { status: { kind: 'done', because: 'length' } }));
    expect(await answer.done).toMatchObject({ text: ', there was', because: 'length' });
  });

  it('fail with the reason that the host gives', async () => {
    questions.onAnswer(update('', { status: { kind: 'failed', reason: 'Not now.' } }));
    await expect(answer.done).rejects.toThrow('Not now.');
  });

  it('are asked again when the host is back, and show nothing twice', async () => {
    questions.onAnswer(update(', there was'));
    questions.lose();
    expect(views[0].status).toEqual({ kind: 'paused', reason: 'the room is out of reach' });
    questions.reach((message) => sent.push(message), 'b');
    expect(sent[1]).toEqual(sent[0]);
    questions.onAnswer(update(', th'));
    expect(views[0].text).toBe(', there was');
    questions.onAnswer(update('ere was a girl'));
    expect(views[0].text).toBe(', there was a girl');
    questions.onAnswer(update('.', { status: { kind: 'done', because: 'end' } }));
    expect(await answer.done).toMatchObject({ text: ', there was a girl.' });
  });

  it('can be stopped until they are answered', () => {
    answer.stop();
    expect(sent[1]).toEqual({ kind: 'stop', request: 0 });
    questions.onAnswer(update('', { status: { kind: 'done', because: 'stopped' } }));
    answer.stop();
    expect(sent).toHaveLength(2);
  });

  it('end with the room', async () => {
    questions.onAnswer(update(', there'));
    questions.end('The host closed the room.');
    await expect(answer.done).rejects.toThrow('The host closed the room.');
    expect(views[0]).toMatchObject({ text: ', there', status: { kind: 'failed' } });
  });

  it('cannot be token ids, nor asked of nobody', () => {
    const ids = { ...request, prompt: { kind: 'ids' as const, ids: [1] } };
    expect(() => questions.ask(ids)).toThrow('Ask with a text: only the host can give token ids.');
    questions.lose();
    expect(() => questions.ask(request)).toThrow(/not in the room yet/);
  });

  it('refuse an answer to what was never asked', () => {
    expect(() => questions.onAnswer(update('', { request: 5 }))).toThrow(/question 5/);
  });
});
