/** What can go wrong when a file is fetched. */

/** Why one try failed that may go better the next time. `because` is a clause without a full stop. */
export type Fault =
  /** No answer came: no connection, or an answer that the browser keeps from the page. */
  | { kind: 'unreachable'; because: string }
  | { kind: 'broken'; because: string }
  | { kind: 'silent'; because: string }
  /** The answer is not the one that was asked for, and none of its bytes may be used. */
  | { kind: 'wrong'; because: string }
  | { kind: 'failing'; because: string }
  /** The server asks to be left alone for `waitMs`; null if it does not say how long. */
  | { kind: 'busy'; because: string; waitMs: number | null };

/** Carries the fault of one try to where it is tried again. */
export class TryFailed extends Error {
  constructor(
    readonly fault: Fault,
    cause?: unknown,
  ) {
    super(fault.because, { cause });
  }
}

/** `size`: the file is not as long as was expected. */
export type FailureKind = Fault['kind'] | 'refused' | 'missing' | 'size' | 'whole-only';

/** The file does not come, and its message says why in one sentence. */
export class FetchFailure extends Error {
  constructor(
    readonly kind: FailureKind,
    sentence: string,
    cause?: unknown,
    /** What the server answered; null where there was no answer, or where it does not matter. */
    readonly status: number | null = null,
  ) {
    super(sentence, { cause });
  }
}
