/** A process that takes a lock so many times and writes down when it came in and went out; 0: it stays in until it is killed. */
import { appendFileSync } from 'node:fs';
import { setImmediate as nextRound } from 'node:timers/promises';
import { withFileLock } from '../file-lock.ts';

const [path = '', log = '', times = '0'] = process.argv.slice(2);
const note = (what: string): void => appendFileSync(log, `${process.pid} ${what}\n`);

async function takeOnce(): Promise<void> {
  await withFileLock(path, async () => {
    note('in');
    if (times === '0') await new Promise(() => setInterval(() => undefined, 1000));
    await nextRound();
    note('out');
  });
}

for (let time = 0; time === 0 || time < Number(times); time++) await takeOnce();
