/** Whether a room keeps what it predicts: a picture of one that does not would mislead. */
import { formatMs } from '../../src/ui/format.ts';

export interface TokenTimes {
  msPerToken: number;
  predictedMsPerToken: number;
}

/** Measured against predicted, either way. */
const mostDeviation = 0.15;

export function agree({ msPerToken, predictedMsPerToken }: TokenTimes): boolean {
  return Math.abs(msPerToken / predictedMsPerToken - 1) <= mostDeviation;
}

/** Why no picture is taken, in a sentence. */
export function disagreement({ msPerToken, predictedMsPerToken }: TokenTimes): string {
  return (
    `A token took ${formatMs(msPerToken)} where ${formatMs(predictedMsPerToken)} was predicted, ` +
    `which is more than ${100 * mostDeviation} % off: no picture is saved. Close what else computes on this machine and try again.`
  );
}
