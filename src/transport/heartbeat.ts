/**
 * Notices silence: a device that was killed, froze or lost its network says nothing about it. Silence is only
 * believed after asking, and the answer to a question needs no timer at the other side, so a hidden page, whose
 * timers are slowed down, answers as fast as any.
 */
export interface Heartbeat {
  /** Something came from the other side. */
  heard(): void;
  setDeadline(deadlineMs: number): void;
  /** While it rests, silence counts for nothing. */
  rest(resting: boolean): void;
  stop(): void;
}

export interface HeartbeatOptions {
  /** Asks the other side for a sign of life. */
  ask: () => void;
  /** Called at every question that follows one left unanswered for half of the deadline. */
  onDoubt?: () => void;
  /** Called once, when nothing was heard for the deadline though it was asked. */
  onSilence: (silentMs: number) => void;
  deadlineMs: number;
}

/** Questions per deadline: the loss of one or two must not matter. */
const questionsPerDeadline = 4;

export function createHeartbeat({
  ask,
  onDoubt,
  onSilence,
  deadlineMs,
}: HeartbeatOptions): Heartbeat {
  let heardAt = performance.now();
  let askedAt: number | null = null;
  let tickedAt = heardAt;
  let resting = false;
  let timer = setInterval(tick, deadlineMs / questionsPerDeadline);

  function tick(): void {
    const now = performance.now();
    // A page that was frozen itself knows nothing about the others: they get their time again.
    if (resting || now - tickedAt > deadlineMs) heard();
    tickedAt = now;
    const silentMs = now - heardAt;
    if (silentMs >= deadlineMs && askedAt !== null && now - askedAt >= deadlineMs / 2) {
      clearInterval(timer);
      onSilence(silentMs);
    } else if (silentMs >= deadlineMs / questionsPerDeadline) {
      askedAt ??= now;
      ask();
      if (silentMs >= deadlineMs / 2) onDoubt?.();
    }
  }

  function heard(): void {
    heardAt = performance.now();
    askedAt = null;
  }

  return {
    heard,
    setDeadline(newDeadlineMs) {
      deadlineMs = newDeadlineMs;
      clearInterval(timer);
      timer = setInterval(tick, deadlineMs / questionsPerDeadline);
    },
    rest(value) {
      resting = value;
      heard();
    },
    stop: () => clearInterval(timer),
  };
}
