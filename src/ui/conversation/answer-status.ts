import type { AnswerStatus } from '../../room/index.ts';

/** What the screen says of an answer's state beside its text; empty where the text says enough. */
export function answerStatusText(status: AnswerStatus): string {
  switch (status.kind) {
    case 'awaiting-approval':
      return 'Waiting for the host to allow it';
    case 'queued':
      return status.place === 1 ? 'Next in line' : `Number ${status.place} in line`;
    case 'reading':
      return `Reading the prompt, ${status.tokensRead} tokens so far`;
    case 'writing':
      return '';
    case 'paused':
      return `Paused: ${status.reason}`;
    case 'done':
      return endings[status.because];
    case 'failed':
      return status.reason;
  }
}

const endings = { end: '', length: 'Ended at the length limit', stopped: 'Stopped' };

export function isRunning(status: AnswerStatus): boolean {
  return status.kind !== 'done' && status.kind !== 'failed';
}
