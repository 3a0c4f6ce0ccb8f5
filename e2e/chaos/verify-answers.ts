/** Whether every answer is what it has to be, from the host's record and the devices' screens. */
import type { Page } from 'playwright';
import type { DeviceQuestion } from './asking.ts';
import { nameOf, questionAt, type Expected } from './questions.ts';
import type { AskedRecord } from '../../src/room/host/saved-room/index.ts';

export interface Verdict {
  answers: number;
  /** Answers that devices asked for, and those of them whose asker left first. */
  ofDevices: number;
  gone: number;
  /** Sentences, one for each answer that is not as it should be. */
  wrong: string[];
  lost: string[];
  hung: string[];
}

export function newVerdict(): Verdict {
  return { answers: 0, ofDevices: 0, gone: 0, wrong: [], lost: [], hung: [] };
}

/** The host's own questions, from its record: that is what outlives its page, and it has the ids. */
export async function verifyHost(
  page: Page,
  asked: number,
  expected: ReadonlyMap<string, Expected>,
  verdict: Verdict,
): Promise<void> {
  const record = await readRecord(page);
  const own = record.filter(({ asker }) => asker === 'host').slice(expected.size);
  for (let index = 0; index < asked; index++) {
    verdict.answers++;
    const name = nameOf(questionAt(index));
    const answer = own.at(index);
    const wanted = expected.get(name);
    const which = `host’s question ${index + 1}, ${name}`;
    if (!answer || !wanted) verdict.lost.push(`${which}: no trace of it`);
    else if (nameOf(answer.request) !== name)
      verdict.lost.push(`${which}: ${nameOf(answer.request)} stands in its place`);
    else if (answer.status.kind === 'failed')
      verdict.lost.push(`${which}: ${answer.status.reason}`);
    else if (answer.status.kind !== 'done')
      verdict.hung.push(`${which}: ${JSON.stringify(answer.status)}, ${answer.ids.length} tokens`);
    else if (answer.ids.join() !== wanted.ids.join())
      verdict.wrong.push(`${which}: ${difference(answer.ids, wanted.ids)}`);
    else if (answer.text !== wanted.text) verdict.wrong.push(`${which}: its text differs`);
  }
}

/** Devices' questions, from their own screens: whoever is gone has taken its questions along. */
export async function verifyDevices(
  questions: readonly DeviceQuestion[],
  isHere: (page: Page) => boolean,
  expected: ReadonlyMap<string, Expected>,
  verdict: Verdict,
): Promise<void> {
  for (const { machine, page, own, index } of questions) {
    verdict.ofDevices++;
    if (!isHere(page)) {
      verdict.gone++;
      continue;
    }
    const name = nameOf(questionAt(index));
    const which = `question ${own + 1} of machine ${machine}, ${name}`;
    const view = await page.evaluate((at) => edgeshard.room?.view.answers.at(at) ?? null, own);
    if (!view) verdict.lost.push(`${which}: no trace of it`);
    else if (view.status.kind === 'failed') verdict.lost.push(`${which}: ${view.status.reason}`);
    else if (view.status.kind !== 'done')
      verdict.hung.push(`${which}: ${JSON.stringify(view.status)}`);
    else if (view.text !== expected.get(name)?.text)
      verdict.wrong.push(`${which}: ${JSON.stringify([view.status, view.text])}`);
  }
}

/** As the host page keeps it in its browser. */
function readRecord(page: Page): Promise<AskedRecord[]> {
  return page.evaluate(
    () =>
      new Promise<AskedRecord[]>((resolve, reject) => {
        const opening = indexedDB.open('edgeshard-rooms');
        opening.onerror = () => reject(new Error('the host keeps no record'));
        opening.onsuccess = () => {
          const all = opening.result.transaction('rooms').objectStore('rooms').getAll();
          all.onerror = () => reject(new Error('the host’s record cannot be read'));
          all.onsuccess = () => {
            opening.result.close();
            const [record] = all.result as { asked: AskedRecord[] }[];
            resolve(record.asked);
          };
        };
      }),
  );
}

function difference(got: readonly number[], wanted: readonly number[]): string {
  const at = wanted.findIndex((id, index) => got[index] !== id);
  if (at === -1) return `${got.length} ids, not ${wanted.length}`;
  return `id ${at} is ${got.at(at) ?? 'missing'}, not ${wanted[at]}`;
}
