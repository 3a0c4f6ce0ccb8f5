/** What the pages of a room showed, and when: the host's screen for answers and members, a device's for its own name. */
import type { BrowserContext } from 'playwright';

/** What changed on one page's screen. */
export type Observation =
  | { kind: 'devices'; atMs: number; devices: { id: string; failed: boolean; measured: boolean }[] }
  /** The host's `index`-th own question, or a device's. */
  | {
      kind: 'answer';
      atMs: number;
      index: number;
      status: string;
      tokens: number;
      rewritten: boolean;
    }
  | { kind: 'phase'; atMs: number; phase: string; says: string }
  | { kind: 'notice'; atMs: number; text: string };

export interface Logbook {
  /** From now on what the rooms of this context's pages show is kept under that machine’s number. */
  watch(context: BrowserContext, machine: number): Promise<void>;
  readonly of: ReadonlyMap<number, readonly Observation[]>;
  /** Script errors of pages, each with its machine. */
  readonly errors: readonly string[];
}

export function openLogbook(): Logbook {
  const of = new Map<number, Observation[]>();
  const errors: string[] = [];
  return {
    of,
    errors,
    async watch(context, machine) {
      const observations = of.get(machine) ?? [];
      of.set(machine, observations);
      await context.exposeFunction('tellObservations', (seen: Observation[]) =>
        observations.push(...seen),
      );
      await context.addInitScript(watchRoom);
      context.on('weberror', (error) =>
        errors.push(`machine ${machine}: ${error.error().stack ?? ''}`),
      );
    },
  };
}

/** Runs in the page: sees every change of whatever room it is in, and tells it a few times a second. */
function watchRoom(): void {
  let watched: typeof edgeshard.room = null;
  let end = (): void => undefined;
  const seen: Observation[] = [];
  const before = { devices: '', phase: '', notice: -1 };
  let texts: string[] = [];
  let states: string[] = [];
  const note = (view: NonNullable<typeof edgeshard.room>['view']): void => {
    const atMs = Date.now();
    const devices = view.devices.map(({ id, status, compute, link }) => ({
      id,
      failed: status.kind === 'failed',
      measured: compute !== null && (id === 'host' || link !== null),
    }));
    const asText = JSON.stringify(devices);
    if (asText !== before.devices) seen.push({ kind: 'devices', atMs, devices });
    before.devices = asText;
    const says =
      view.phase.kind === 'closed'
        ? view.phase.reason
        : view.phase.kind === 'starting'
          ? view.phase.step
          : (view.waitingFor?.sentence ?? '');
    if (view.phase.kind + says !== before.phase)
      seen.push({ kind: 'phase', atMs, phase: view.phase.kind, says });
    before.phase = view.phase.kind + says;
    for (const { id, text } of view.notices) {
      if (id <= before.notice) continue;
      seen.push({ kind: 'notice', atMs, text });
      before.notice = id;
    }
    const own = view.answers.filter(({ asker }) => view.role === 'device' || asker === 'host');
    for (const [index, { status, newTokens, text }] of own.entries()) {
      const state = `${status.kind} ${newTokens}`;
      if (state === states[index]) continue;
      const rewritten = !text.startsWith(texts[index] ?? '');
      states[index] = state;
      texts[index] = text;
      seen.push({ kind: 'answer', atMs, index, status: status.kind, tokens: newTokens, rewritten });
    }
  };
  setInterval(() => {
    const now = 'edgeshard' in globalThis ? edgeshard.room : null;
    if (now !== watched) {
      end();
      watched = now;
      before.notice = -1;
      texts = [];
      states = [];
      end = now?.subscribe(note) ?? (() => undefined);
    }
    if (seen.length > 0) void tellObservations(seen.splice(0));
  }, 100);
}

declare global {
  function tellObservations(seen: Observation[]): Promise<void>;
}
