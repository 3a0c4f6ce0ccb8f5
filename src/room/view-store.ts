/** Holds the current view and tells listeners of every new one. */
import type { RoomView } from './view.ts';

export interface ViewStore {
  readonly view: RoomView;
  update(change: Partial<RoomView>): void;
  notice(text: string): void;
  subscribe(listener: (view: RoomView) => void): () => void;
  /** No token waits for this tab at this moment. */
  idle(): void;
  /** See `Room.onIdle`. */
  onIdle(listener: () => void): () => void;
}

/** Older notices fall off the screen. */
const noticesKept = 20;

/** A room of which nothing is known yet. */
export function newView(role: RoomView['role'], step: string): RoomView {
  return {
    role,
    phase: { kind: 'starting', step },
    link: null,
    model: null,
    devices: [],
    plan: null,
    waitingFor: null,
    asking: 'off',
    door: null,
    answers: [],
    notices: [],
  };
}

export function createViewStore(initial: RoomView): ViewStore {
  let view = initial;
  let lastNotice = 0;
  const listeners = new Set<(view: RoomView) => void>();
  const idleListeners = new Set<() => void>();

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
    idle() {
      for (const listener of idleListeners) listener();
    },
    onIdle(listener) {
      idleListeners.add(listener);
      return () => idleListeners.delete(listener);
    },
  };
}
