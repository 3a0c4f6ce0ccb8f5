/**
 * Devices that do not each measure themselves anew: for tests in which many come and go, and none of which is about
 * measuring. All of them are tabs of one machine, so that the first one's figures are the others' too.
 *
 * A script in the page stands between the app and its engine's worker. The first device with a model, a backend and
 * a number of threads has its worker measure, as always; later ones are told what came of it.
 */
import type { BrowserContext } from 'playwright';
import type { ComputeProfile } from '../../../src/engine/engine.ts';

/** By what was measured, in words that tell one engine and its model from another. */
const measured = new Map<string, ComputeProfile>();

declare global {
  function measuredBefore(what: string): Promise<ComputeProfile | null>;
  function keepMeasured(what: string, profile: ComputeProfile): Promise<void>;
}

/** To be called before the first page of the context is opened. */
export async function measureOnce(context: BrowserContext): Promise<void> {
  await context.exposeFunction('measuredBefore', (what: string) => measured.get(what) ?? null);
  await context.exposeFunction('keepMeasured', (what: string, profile: ComputeProfile) => {
    measured.set(what, profile);
  });
  await context.addInitScript({ content: script });
}

/** The messages are those of Comlink: a call has an id, a path and arguments, and its result the same id. */
const script = `{
  const MeasuringWorker = Worker;
  globalThis.Worker = class extends MeasuringWorker {
    postMessage(message, ...rest) {
      const [call] = message.path ?? [];
      if (call === 'start') {
        const { runtimeBinary, ...engine } = message.argumentList[0].value;
        this.engine = engine;
      }
      if (call === 'measure') void this.measure(message, rest);
      else super.postMessage(message, ...rest);
    }
    async measure(message, rest) {
      const what = JSON.stringify([this.engine, message.argumentList[0].value]);
      const known = await measuredBefore(what);
      if (known) {
        const data = { id: message.id, type: 'RAW', value: known };
        this.dispatchEvent(new MessageEvent('message', { data }));
        return;
      }
      this.addEventListener('message', ({ data }) => {
        if (data?.id === message.id && data.type === 'RAW') void keepMeasured(what, data.value);
      });
      super.postMessage(message, ...rest);
    }
  };
}`;
