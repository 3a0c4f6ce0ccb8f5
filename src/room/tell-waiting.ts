/** Says on the screen that a server is waited for: as the step of a room on its way, or else as a notice. */
import { onOriginPause } from '../base/http/asking/origin-turns.ts';
import { onAbort } from '../base/on-abort.ts';
import type { ViewStore } from './view-store.ts';

/** Until the signal aborts. */
export function tellWaiting(store: ViewStore, signal: AbortSignal): void {
  const stop = onOriginPause(({ sentence, ms }) => {
    const { phase, notices } = store.view;
    if (phase.kind !== 'starting') {
      // Several requests may fall silent at about the same time.
      if (notices.at(-1)?.text !== sentence) store.notice(sentence);
      return;
    }
    store.update({ phase: { kind: 'starting', step: sentence } });
    if (ms > 0) setTimeout(() => restore(store, sentence, phase.step), ms);
  });
  onAbort(signal, stop);
}

/** The step that was interrupted goes on, unless another one has begun. */
function restore(store: ViewStore, sentence: string, step: string): void {
  const { phase } = store.view;
  if (phase.kind === 'starting' && phase.step === sentence)
    store.update({ phase: { kind: 'starting', step } });
}
