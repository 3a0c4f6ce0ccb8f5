/**
 * A device whose person means ill: a script in its page stands between the app and its engine's worker, and
 * changes what goes in or comes out once it is told to. The app itself knows nothing of it.
 */
import type { Page } from 'playwright';

/**
 * `zeros` and `nan`: of everything that it computes, its proofs included. `other-block`: of answers only, its
 * proofs being honest: of its layers only the last is run. `q8`: zeros, as long as its weights have 8 bits, which
 * is how a broken driver looks. `silence`: of answers nothing comes as long as it lasts.
 */
export type Lie = 'zeros' | 'nan' | 'other-layer' | 'q8' | 'silence';

/** To be called before the page is opened. */
export async function prepareToLie(page: Page): Promise<void> {
  await page.addInitScript({ content: script });
}

/** From now on; null for the truth. */
export async function startLying(page: Page, lie: Lie | null): Promise<void> {
  await page.evaluate((what) => void Reflect.set(globalThis, 'lie', what), lie);
}

const script = `
  const HonestWorker = Worker;
  globalThis.lie = null;
  let weights = null;

  /** Every object in a message, however deep. */
  function* objectsIn(value) {
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
    yield value;
    for (const inner of Object.values(value)) yield* objectsIn(inner);
  }

  function isAnswer(request) {
    return request.input?.kind === 'hidden' && request.sequence >= 0;
  }

  function isAboutAnswer(message) {
    return [...objectsIn(message)].some(isAnswer);
  }

  function changeRequest(message) {
    if (message.path?.[0] === 'loadLayer') weights = message.argumentList.at(-1).value;
    for (const request of objectsIn(message))
      if (globalThis.lie === 'other-layer' && isAnswer(request)) request.first = request.last;
  }

  function changeResult(message) {
    const value = { zeros: 0, nan: NaN, [weights]: 0 }[globalThis.lie];
    if (value === undefined) return;
    for (const result of objectsIn(message))
      if (result.kind === 'hidden' && result.computeMs !== undefined) result.values.fill(value);
  }

  globalThis.Worker = class extends HonestWorker {
    postMessage(message, ...rest) {
      changeRequest(message);
      if (globalThis.lie !== 'silence' || !isAboutAnswer(message)) {
        super.postMessage(message, ...rest);
        return;
      }
      const silence = setInterval(() => {
        if (globalThis.lie === 'silence') return;
        clearInterval(silence);
        super.postMessage(message, ...rest);
      }, 50);
    }
    addEventListener(type, listener, ...rest) {
      const heard = (event) => {
        if (type === 'message') changeResult(event.data);
        listener(event);
      };
      super.addEventListener(type, heard, ...rest);
    }
  };
`;
