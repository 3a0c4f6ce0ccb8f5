/** What an answer that goes on upon another plan has computed again: what was lost, and nothing else. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readTinyModelFile } from '../../engine/fixtures/node-runtime.ts';
import type { TinyModel } from '../../engine/fixtures/tiny-model.ts';
import { openEngineHost, when, type EngineHost } from '../fixtures/engine-host.ts';
import type { SentFrame } from '../fixtures/engine-room.ts';

let model: TinyModel;
let host: EngineHost;

beforeAll(async () => {
  model = await readTinyModelFile('tiny-llama');
});
afterEach(() => host.room.dispose());

function open(split: string): void {
  host = openEngineHost(model, split, ['host', 'a', 'b', 'c']);
}

/** Has `b` vanish; its layers are dealt as `then` says. */
function loseB(then: string): void {
  host.room.vanish('b');
  host.propose(then);
  host.planning.lose('b', 'b left.');
}

const overThree = 'host:0-1,a:2-3,b:4-5,host:6';
const bytesPerToken = 96 * 4;

/** Frames of more than one position, or of a cache rebuild's only one, that went out after the first plan. */
function sentAgain(): string[] {
  const steps = new Set(host.room.frames.filter(isStep));
  return host.room.frames
    .filter((frame) => frame.header.planVersion > 1 && frame.payloadBytes > 0 && !steps.has(frame))
    .map(({ from, to, header, payloadBytes }) => {
      const { step } = header;
      return `${from}>${to} ${step}-${step + payloadBytes / bytesPerToken - 1}`;
    });
}

function isStep({ header, payloadBytes }: SentFrame): boolean {
  return header.flags === 1 && payloadBytes === bytesPerToken;
}

describe('after a loss', () => {
  it('a device that takes its place is filled by the one before it, and by nobody else', async () => {
    open(overThree);
    const made = await host.generate(when(5, () => loseB('host:0-1,a:2-3,c:4-5,host:6'), host));
    expect(made.ids).toEqual(model.reference.greedyIds);
    expect(host.shown).toEqual(made.ids);
    // The token on its way when b vanished is all that the cache rebuild leaves to the next lap.
    const positions = model.reference.inputIds.length + 4;
    expect(sentAgain()).toEqual(piecesOf('a>c', positions));
    expect(host.room.refusals).toEqual([]);
  });

  it('a survivor fills its new layers from what it had sent on itself', async () => {
    open(overThree);
    const made = await host.generate(when(5, () => loseB('host:0-1,a:2-5,host:6'), host));
    expect(made.ids).toEqual(model.reference.greedyIds);
    expect(sentAgain()).toEqual([]);
  });

  it('in the middle of the prompt, what was read stays read', async () => {
    open(overThree);
    let isLost = false;
    const made = await host.generate({
      onReading(read) {
        if (read !== 8 || isLost) return;
        isLost = true;
        loseB('host:0-1,a:2-3,c:4-5,host:6');
      },
    });
    expect(made.ids).toEqual(model.reference.greedyIds);
    expect(sentAgain().slice(0, 1)).toEqual(['a>c 0-7']);
    expect(sentAgain().filter((sent) => sent.startsWith('host>a 0'))).toEqual([]);
  });

  it('two neighbours that vanish together are filled in one go', async () => {
    open('host:0,a:1-2,b:3,c:4,a:5,host:6');
    const lose = (): void => {
      host.room.vanish('c');
      loseB('host:0,a:1-2,host:3-4,a:5,host:6');
    };
    const made = await host.generate(when(5, lose, host));
    expect(made.ids).toEqual(model.reference.greedyIds);
    // What b sent to c went with it.
    expect(sentAgain()).toEqual(piecesOf('a>host', model.reference.inputIds.length + 4));
  });

  it('two that were no neighbours are filled each by the one before it', async () => {
    open('host:0,a:1,b:2,a:3,c:4,host:5-6');
    const lose = (): void => {
      host.room.vanish('c');
      loseB('host:0,a:1-3,host:4-6');
    };
    const made = await host.generate(when(5, lose, host));
    expect(made.ids).toEqual(model.reference.greedyIds);
    expect(sentAgain()).toEqual(piecesOf('a>host', model.reference.inputIds.length + 4));
  });

  it('the token ids are read again where nobody has kept what is needed', async () => {
    open(overThree);
    host.room.replayBudgetBytes = 0;
    const made = await host.generate(when(5, () => loseB('host:0-1,a:2-3,c:4-5,host:6'), host));
    expect(made.ids).toEqual(model.reference.greedyIds);
    const positions = model.reference.inputIds.length + 4;
    expect(sentAgain().sort()).toEqual(
      [...piecesOf('host>a', positions), ...piecesOf('a>c', positions)].sort(),
    );
  });

  it('the next nearest fills it when the one before it vanishes as well, in the middle of filling', async () => {
    open(overThree);
    let sent = 0;
    host.room.intercept = ({ from, to, header }) => {
      if (from !== 'a' || to !== 'c' || header.planVersion !== 2 || ++sent !== 2) return false;
      host.room.vanish('a');
      host.propose('host:0-3,c:4-5,host:6');
      host.planning.lose('a', 'a left.');
      return true;
    };
    const made = await host.generate(when(5, () => loseB('host:0-1,a:2-3,c:4-5,host:6'), host));
    expect(made.ids).toEqual(model.reference.greedyIds);
    expect(host.shown).toEqual(made.ids);
    expect(host.paused).toEqual(['b left.', 'a left.']);
  });

  it('the next turn of a conversation reads only what is new', async () => {
    open(overThree);
    const { inputIds, greedyIds } = model.reference;
    await host.generate({ maxNewTokens: 8 });
    loseB('host:0-1,a:2-3,c:4-5,host:6');
    await host.planning.settled();
    const promptIds = [...inputIds, ...greedyIds.slice(0, 8)];
    const made = await host.generate({ promptIds, maxNewTokens: 8 });
    expect(made.cachedTokens).toBe(promptIds.length - 1);
    expect(made.ids).toEqual(greedyIds.slice(8, 16));
    expect(sentAgain()).toEqual(piecesOf('a>c', promptIds.length - 1));
  });
});

describe('too little memory', () => {
  it('pauses the answer with a sentence that says what is missing, until a device joins', async () => {
    open(overThree);
    const missing = 'The room lacks 24 MB: invite another device.';
    const lose = (): void => {
      host.room.vanish('b');
      host.proposeNothing(missing);
      host.planning.lose('b', 'b left.');
    };
    const made = await host.generate({
      ...when(5, lose, host),
      onPaused(reason) {
        host.paused.push(reason);
        if (reason === missing) host.propose('host:0-1,a:2-3,c:4-5,host:6');
      },
    });
    expect(made.ids).toEqual(model.reference.greedyIds);
    expect(host.shown).toEqual(made.ids);
    expect(host.paused).toEqual(['b left.', missing]);
    expect(sentAgain()).toEqual(piecesOf('a>c', model.reference.inputIds.length + 4));
  });
});

describe('a newcomer', () => {
  const betweenTokens = {
    turns: { next: () => new Promise<void>((resolve) => setImmediate(resolve)) },
  };

  it.each([
    ['host:0-6', 'host:0-2,a:3-5,host:6'],
    ['host:0-1,a:2-5,host:6', 'host:0-1,a:2-3,c:4-5,host:6'],
    ['host:0-1,a:2-5,host:6', 'host:0-1,c:2-3,a:4-5,host:6'],
    ['host:0-1,a:2-3,b:4-5,host:6', 'host:0-2,c:3,b:4-5,host:6'],
  ])('is filled beside %s, and taken in between two tokens of %s', async (before, after) => {
    open(before);
    // Beside a lap of ten hours, filling a few layers costs nothing.
    host.propose(before, 36e6);
    const shownWhileFilling: number[] = [];
    host.room.intercept = ({ header }) => {
      if (header.planVersion === 2 && header.flags === 0) shownWhileFilling.push(host.shown.length);
      return false;
    };
    const made = await host.generate({
      ...when(3, () => host.propose(after, 1), host),
      ...betweenTokens,
    });
    expect(made.ids).toEqual(model.reference.greedyIds);
    expect(host.shown).toEqual(made.ids);
    expect(host.paused).toEqual([]);
    expect(host.room.refusals).toEqual([]);
    // Tokens came while it was filled.
    expect(shownWhileFilling.at(-1)).toBeGreaterThan(shownWhileFilling[0]);
    expect(host.room.frames.some((frame) => frame.header.planVersion === 2 && isStep(frame))).toBe(
      true,
    );
  });

  it('that vanishes while it is filled disturbs nobody', async () => {
    open('host:0-1,a:2-5,host:6');
    host.propose('host:0-1,a:2-5,host:6', 36e6);
    host.room.intercept = ({ to, header }) => {
      if (to !== 'c' || header.step === 0) return false;
      host.room.vanish('c');
      host.propose('host:0-1,a:2-5,host:6', 36e6);
      host.planning.lose('c', 'c left.');
      return true;
    };
    const made = await host.generate({
      ...when(3, () => host.propose('host:0-1,a:2-3,c:4-5,host:6', 1), host),
      ...betweenTokens,
    });
    expect(made.ids).toEqual(model.reference.greedyIds);
    expect(host.paused).toEqual([]);
  });
});

/** Pieces of eight positions, as the room of engines sends them. */
function piecesOf(route: string, positions: number): string[] {
  const pieces: string[] = [];
  for (let from = 0; from < positions; from += 8)
    pieces.push(`${route} ${from}-${Math.min(from + 8, positions) - 1}`);
  return pieces;
}
