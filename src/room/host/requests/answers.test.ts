import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readTinyModelFile } from '../../../engine/fixtures/node-runtime.ts';
import type { TinyModel } from '../../../engine/fixtures/tiny-model.ts';
import type { Tokenizer } from '../../../model/text/tokenizer.ts';
import {
  contextLength,
  createEngineRoom,
  stagesOf,
  type EngineRoom,
} from '../../fixtures/engine-room.ts';
import { planOver } from '../../fixtures/made-up-plans.ts';
import type { AskRequest } from '../../room.ts';
import type { AnswerView } from '../../view.ts';
import { createAnswers, type Answers, type AnswersOptions } from './answers.ts';
import type { Asker } from './open-question.ts';
import { createBetweenLaps } from '../decoding/between-laps.ts';
import { createPlanning } from '../planning/planning.ts';
import { greedy } from '../decoding/sampler.ts';
import { createTurns } from '../decoding/pipeline-turns.ts';

let model: TinyModel;
let room: EngineRoom;

beforeAll(async () => {
  model = await readTinyModelFile('tiny-llama');
});
afterEach(() => room.dispose());

/** Every token is its number; the first of a text of its own has no space before it. */
const numbers: Tokenizer = {
  addedTokens: [],
  specialTokens: [],
  controlMarks: [],
  encode: (text) => text.split(' ').filter(Boolean).map(Number),
  decode: (ids) => ids.join(' '),
  streamDecoder: (before = []) => {
    let isFirst = before.length === 0;
    return {
      push(id) {
        const text = isFirst ? `${id}` : ` ${id}`;
        isFirst = false;
        return text;
      },
      end: () => '',
    };
  },
  idToToken: String,
  tokenToId: Number,
};

interface Conversation {
  answers: Answers;
  views: () => AnswerView[];
  /** The statuses that one answer went through. */
  statuses: (id: number) => string[];
  inFlight: number[];
}

/** A lone host with a real engine. */
function open(change: Partial<AnswersOptions> = {}): Conversation {
  const own = createEngineRoom(model, ['host']);
  room = own;
  const stages = stagesOf('host:0-6');
  const planning = createPlanning({
    planner: {
      propose: () => Promise.resolve(planOver(stages, { lapMs: 7, slowestMs: 7 })),
      isWorthwhile: () => false,
      repriced: (running) => running,
    },
    brokenBecause: () => null,
    overflows: () => false,
    deploy: (lap) => own.prepare(lap),
    onLaps: () => undefined,
    onView: () => undefined,
  });
  planning.changed();
  let views: AnswerView[] = [];
  const seen = new Map<number, string[]>();
  const inFlight: number[] = [];
  const answers = createAnswers({
    planning,
    laps: own.laps,
    turns: createTurns('no-bubbles'),
    betweenLaps: createBetweenLaps(),
    caches: own.caches(() => 1),
    inFlight: () => 1,
    giveBack: () => undefined,
    speculation: () => null,
    tokenizer: numbers,
    encodePrompt: (text) => numbers.encode(text, { bos: false }),
    stopIds: new Set(),
    contextLength,
    vocabularySize: model.config.vocab_size,
    prefillChunk: () => 8,
    capacity: () => 1,
    onView(shown) {
      views = shown;
      for (const { id, status } of shown) {
        const kinds = seen.get(id) ?? [];
        seen.set(id, kinds);
        if (kinds.at(-1) !== status.kind) kinds.push(status.kind);
      }
    },
    onInFlight: (count) => inFlight.push(count),
    ...change,
  });
  return { answers, views: () => views, statuses: (id) => seen.get(id) ?? [], inFlight };
}

function by(id: string, change: Partial<Asker> = {}): Asker {
  return { id, needsApproval: false, onAnswer: () => undefined, ...change };
}

function question(change: Partial<AskRequest> = {}): AskRequest {
  return {
    prompt: { kind: 'ids', ids: model.reference.inputIds },
    sampling: greedy,
    maxNewTokens: 6,
    topLogits: 0,
    ...change,
  };
}

describe('an answer', () => {
  it('is shown as it grows, with its figures', async () => {
    const { answers, views, statuses, inFlight } = open();
    const { done } = answers.ask(question(), by('host'));
    expect(views()[0].status.kind).toMatch(/queued|reading/);
    const result = await done;
    const expected = model.reference.greedyIds.slice(0, 6);
    expect(result).toMatchObject({
      ids: expected,
      promptIds: model.reference.inputIds,
      text: expected.map((id) => ` ${id}`).join(''),
      because: 'length',
      predictedMsPerToken: 7,
    });
    expect(views()[0]).toMatchObject({
      text: result.text,
      asker: 'host',
      promptTokens: 24,
      newTokens: 6,
      status: { kind: 'done', because: 'length' },
      predictedMsPerToken: 7,
    });
    expect(result.ttftMs).toBeGreaterThan(0);
    expect(result.msPerToken).toBeGreaterThan(0);
    expect(statuses(0).slice(-3)).toEqual(['reading', 'writing', 'done']);
    expect(inFlight).toEqual([1, 0]);
  });

  it('reads a text as the model does', async () => {
    const { answers, views } = open();
    const text = model.reference.inputIds.join(' ');
    const { done } = answers.ask(question({ prompt: { kind: 'text', text } }), by('host'));
    expect((await done).ids).toEqual(model.reference.greedyIds.slice(0, 6));
    expect(views()[0].prompt).toBe(text);
  });

  it('leaves the token that ends it out of its text', async () => {
    const { greedyIds } = model.reference;
    const { answers } = open({ stopIds: new Set([greedyIds[3]]) });
    const result = await answers.ask(question(), by('host')).done;
    expect(result.because).toBe('end');
    expect(result.text).toBe(
      greedyIds
        .slice(0, 3)
        .map((id) => ` ${id}`)
        .join(''),
    );
  });

  it.each<[string, number[], RegExp]>([
    ['empty', [], /^The prompt is empty: write a few words first\.$/],
    [
      'too long',
      Array.from({ length: contextLength }, () => 5),
      /^The prompt is 64 tokens long, and this model reads at most 63: shorten it\.$/,
    ],
    ['of unknown ids', [5, 512], /^Token id 512 is not in this model's vocabulary of 512/],
    ['of no ids at all', [5, -1], /^Token id -1 is not in this model's vocabulary/],
  ])(
    'fails with a sentence for a prompt that is %s, and the next is answered',
    async (_, ids, sentence) => {
      const { answers, views } = open();
      const refused = answers.ask(question({ prompt: { kind: 'ids', ids } }), by('host'));
      const next = answers.ask(question(), by('host'));
      await expect(refused.done).rejects.toThrow(sentence);
      expect(views()[0].status).toEqual({
        kind: 'failed',
        reason: expect.stringMatching(sentence) as string,
      });
      expect((await next.done).ids).toEqual(model.reference.greedyIds.slice(0, 6));
    },
  );

  it('fills the context to its last position', async () => {
    const { answers } = open();
    const ids = Array.from({ length: contextLength - 1 }, (_, index) => 5 + index);
    const { done } = answers.ask(question({ prompt: { kind: 'ids', ids } }), by('host'));
    expect(await done).toMatchObject({ because: 'length', ids: { length: 2 } });
  });

  it('can be stopped while it is written, and keeps what there is', async () => {
    const { answers, views } = open();
    const answer = answers.ask(
      question({ maxNewTokens: 30 }),
      by('host', { onAnswer: ({ newTokens }) => newTokens === 3 && answer.stop() }),
    );
    const result = await answer.done;
    expect(result).toMatchObject({
      because: 'stopped',
      ids: model.reference.greedyIds.slice(0, 3),
    });
    expect(views()[0].status).toEqual({ kind: 'done', because: 'stopped' });
  });

  it('can be stopped while it waits, and the line closes up', async () => {
    const { answers, views } = open();
    const first = answers.ask(question(), by('host'));
    const second = answers.ask(question(), by('host'));
    const third = answers.ask(question(), by('host'));
    expect(views()[2].status).toEqual({ kind: 'queued', place: 2 });
    second.stop();
    expect(await second.done).toMatchObject({ because: 'stopped', ids: [] });
    expect(views()[2].status).toEqual({ kind: 'queued', place: 1 });
    await Promise.all([first.done, third.done]);
  });
});

describe('answers', () => {
  it('come one after the other where only one fits', async () => {
    const { answers, inFlight } = open();
    const asked = [1, 2, 3].map(() => answers.ask(question(), by('host')));
    for (const { done } of asked)
      expect((await done).ids).toEqual(model.reference.greedyIds.slice(0, 6));
    expect(Math.max(...inFlight)).toBe(1);
  });

  it('come together where they fit, and are the same', async () => {
    const { answers, inFlight } = open({ capacity: () => 3 });
    const asked = [1, 2, 3, 4].map(() => answers.ask(question(), by('host')));
    for (const { done } of asked)
      expect((await done).ids).toEqual(model.reference.greedyIds.slice(0, 6));
    expect(Math.max(...inFlight)).toBe(3);
  });

  it('start when more of them fit', async () => {
    let capacity = 1;
    const { answers, inFlight } = open({ capacity: () => capacity });
    const asked = [1, 2].map(() => answers.ask(question(), by('host')));
    expect(inFlight).toEqual([1]);
    capacity = 2;
    answers.capacityChanged();
    expect(inFlight).toEqual([1, 2]);
    await Promise.all(asked.map(({ done }) => done));
  });

  it("wait for the host's word where they need it", async () => {
    const { answers, views } = open();
    const allowed = answers.ask(question(), by('a', { needsApproval: true }));
    const refused = answers.ask(question(), by('b', { needsApproval: true }));
    expect(views().map(({ status }) => status.kind)).toEqual([
      'awaiting-approval',
      'awaiting-approval',
    ]);
    answers.decide(1, false);
    await expect(refused.done).rejects.toThrow('The host did not allow this question.');
    answers.decide(0, true);
    answers.decide(0, false);
    expect((await allowed.done).ids).toHaveLength(6);
  });

  it('of someone who left are given up, those of others are not', async () => {
    const { answers } = open();
    const mine = answers.ask(question(), by('host'));
    const theirs = [1, 2].map(() => answers.ask(question(), by('a')));
    answers.stopAll('a', 'The one who asked left.');
    for (const { done } of theirs) expect(await done).toMatchObject({ because: 'stopped' });
    expect((await mine.done).because).toBe('length');
  });

  it('are taken up again after a reload, where they had come to', async () => {
    const before = open();
    const finished = before.answers.ask(question({ maxNewTokens: 2 }), by('host'));
    await finished.done;
    const sampling = { ...greedy, temperature: 1.5 };
    const whole = await before.answers.ask(
      question({ sampling: { ...sampling, seed: 5 } }),
      by('host'),
    ).done;
    const records = structuredClone(before.answers.record());
    await room.dispose();

    const after = open();
    const broken = records[1];
    broken.ids = whole.ids.slice(0, 3);
    broken.text = whole.ids
      .slice(0, 3)
      .map((id) => ` ${id}`)
      .join('');
    broken.status = { kind: 'writing' };
    after.answers.restore(records);
    await expect
      .poll(() => after.views().map(({ status }) => status.kind))
      .toEqual(['done', 'done']);
    expect(after.views().map(({ text }) => text)).toEqual([records[0].text, whole.text]);
  });
});
