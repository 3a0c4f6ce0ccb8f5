/** Measures a link while it works: two equal echoes now and then, in the wake of frames, and trials of striping. */
import type { Lane } from './lane.ts';
import type { SendPolicy } from './send-policy.ts';

export interface Probes {
  /** A frame was sent, or came: it may be time to measure. */
  framePassed(): void;
  /** Compares one connection with several, if that is due and there are several. */
  tryStriping(): void;
}

export interface ProbesOptions {
  policy: SendPolicy;
  /** The connections that frames may take, the first one first. */
  lanes: () => readonly Lane[];
  /** Whether more of them are on their way. */
  isGrowing: () => boolean;
  /** So many bytes there, spread over those connections, and back (nothing, if `short`), in ms. */
  roundTrip: (bytes: number, options: { over: readonly Lane[]; short: boolean }) => Promise<number>;
  onMeasured: () => void;
}

const everyMs = 250;
/** As a token's: its way says something about one. */
const twinBytes = 1100;
const trialRounds = 5;
const maxTrialBytes = 96 * 1024;

export function createProbes({
  policy,
  lanes,
  isGrowing,
  roundTrip,
  onMeasured,
}: ProbesOptions): Probes {
  let probedAt = -Infinity;
  let trying = false;

  async function probe(): Promise<void> {
    const [first, second = first] = lanes();
    // Sent in one moment: what holds up a page or the whole path holds up both, and no copy would help.
    const twins = [first, second].map((lane) =>
      roundTrip(twinBytes, { over: [lane], short: false }),
    );
    const [a, b] = await Promise.all(twins);
    policy.sawTwins([a, b]);
    onMeasured();
  }

  async function compare(bytes: number): Promise<void> {
    const all = lanes();
    const over = (some: readonly Lane[]): Promise<number> =>
      roundTrip(bytes, { over: some, short: true });
    // A connection's first large message opens its window; every one has had some before it is judged.
    await over(all.slice(0, 1));
    await over(all);
    const [singleMs, stripedMs]: [number[], number[]] = [[], []];
    for (let round = 0; round < trialRounds; round++) {
      singleMs.push(await over(all.slice(0, 1)));
      stripedMs.push(await over(all));
    }
    policy.sawTrial({ singleMs, stripedMs });
  }

  return {
    framePassed() {
      const now = performance.now();
      if (now - probedAt < everyMs) return;
      probedAt = now;
      // One that never came back says nothing that the heartbeat does not say.
      probe().catch(() => undefined);
    },
    tryStriping() {
      const bytes = policy.trialBytes();
      if (trying || bytes === null || lanes().length < 2) return;
      // The first of several connections gains little; its trial would put off that of them all.
      if (isGrowing()) return;
      trying = true;
      compare(Math.min(bytes, maxTrialBytes))
        .catch(() => undefined)
        .finally(() => (trying = false));
    },
  };
}
