import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { channelsOf } from './channels.ts';
import { memoryPair } from './fixtures/memory-connection.ts';

const fingerprints = { dialler: '1'.repeat(64), acceptor: '2'.repeat(64) };

it('one message answers one question for the next, whatever the garbage collector took meanwhile', async () => {
  const { dialler, acceptor, deliver } = memoryPair(fingerprints);
  const [here, there] = [dialler, acceptor].map((connection) => channelsOf(connection).control);
  deliver();
  const never = new AbortController().signal;

  const first = here.next(never);
  await collectGarbage();
  there.send('first');
  deliver();
  expect(await first).toBe('first');

  const second = here.next(never);
  there.send('second');
  deliver();
  expect(await second).toBe('second');
});

async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose_gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect !== 'function') throw new Error('no garbage collector to call');
  for (let round = 0; round < 3; round++) {
    // What was reachable in this turn of the event loop is kept until the next.
    await new Promise((resolve) => setTimeout(resolve, 10));
    Reflect.apply(collect, null, []);
  }
}
