/** What is asked while things go wrong, and what the answers have to be. */
import type { Page } from 'playwright';
import { greedy } from '../../src/room/host/decoding/sampler.ts';
import type { AskRequest } from '../../src/room/index.ts';

const beginnings = [
  'Once upon a time',
  'Lily and Tom found a big red',
  'The little robot wanted to',
  'It was raining, so the children',
  'A small bird sat on',
  'In the garden there was',
];

/** The same beginning is asked for again with other lengths: the shorter answer is the beginning of the longer. */
const lengths = [150, 90, 180, 120];

export interface Expected {
  ids: number[];
  text: string;
}

/** The index-th question of whoever asks. */
export function questionAt(index: number): AskRequest {
  return {
    prompt: { kind: 'text', text: beginnings[index % beginnings.length] },
    sampling: greedy,
    maxNewTokens: lengths[index % lengths.length],
    topLogits: 0,
  };
}

/** Every different question, answered one after the other by a room that nobody disturbs; by `nameOf`. */
export async function answersUndisturbed(host: Page): Promise<ReadonlyMap<string, Expected>> {
  const expected = new Map<string, Expected>();
  for (let index = 0; index < beginnings.length * lengths.length; index++) {
    const request = questionAt(index);
    if (expected.has(nameOf(request))) continue;
    const { ids, text } = await askHost(host, request);
    expected.set(nameOf(request), { ids, text });
  }
  return expected;
}

export function nameOf({ prompt, maxNewTokens }: AskRequest): string {
  return JSON.stringify([prompt, maxNewTokens]);
}

async function askHost(host: Page, request: AskRequest): Promise<Expected> {
  return host.evaluate(async (question) => {
    if (!edgeshard.room) throw new Error('this page is in no room');
    const { ids, text } = await edgeshard.room.ask(question).done;
    return { ids, text };
  }, request);
}

/** Asks and does not wait for the answer; false where the page can take no question now. */
export function begin(page: Page, request: AskRequest): Promise<boolean> {
  return page
    .evaluate((question) => {
      const { room } = edgeshard;
      if (room?.view.phase.kind !== 'open') return false;
      // How it went is read off the screen and the room's record.
      room.ask(question).done.catch(() => undefined);
      return true;
    }, request)
    .catch(() => false);
}
