/** Holds the current view and tells listeners of every new one. */
import type { RoomView } from './view.ts';

export interface ViewStore {
  readonly view: RoomView;
  update(change: Partial<RoomView>): void;
  notice(text: string): void;
  subscribe(listener: (view: RoomView) => void): () => void;
}

/** Older notices fall off the screen. */
const noticesKept = 20;

export function createViewStore(initial: RoomView): ViewStore {
  let view = initial;
  let lastNotice = 0;
  const listeners = new Set<(view: RoomView) => void>();

  function update(change: Partial<RoomView>): void {
    view = { ...view, ...change };
    for (const listener of listeners) listener(view);
  }

  return {
    get view() {
      return view;
    },
    update,
    notice(text) {
      const notices = [...view.notices, { id: ++lastNotice, text }].slice(-noticesKept);
      update({ notices });
    },
    subscribe(listener) {
      listeners.add(listener);
      listener(view);
      return () => listeners.delete(listener);
    },
  };
}
