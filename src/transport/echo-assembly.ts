/** Puts echoes together. They have no order, and one that is never whole holds up nobody. */
import { dropOldest } from '../base/drop-oldest.ts';
import { badFrame, bodyLengthOf, type Slice } from './frame.ts';
import {
  addSlice,
  finished,
  newPartialFrame,
  type PartialFrame,
  type ReceivedFrame,
} from './partial-frame.ts';

/** Echoes that may be incomplete at a time, and the size of each. */
const maxEchoes = 32;
const maxEchoBytes = 256 * 1024;

/** Takes a slice of an echo and returns the echo once it is whole. `onDuplicate` hears of a slice that came before. */
export function createEchoAssembly(onDuplicate: () => void): (slice: Slice) => ReceivedFrame[] {
  /** Of several slices, by kind and number. */
  const echoes = new Map<string, PartialFrame>();

  return (slice) => {
    const { header } = slice;
    if (header.sliceCount === 1) return [finished(header, slice.body)];
    if (bodyLengthOf(header) > maxEchoBytes)
      throw badFrame(
        `an echo of ${bodyLengthOf(header)} bytes, more than the ${maxEchoBytes} allowed`,
      );
    const name = `${header.kind} ${header.number}`;
    const echo = echoes.get(name) ?? newPartialFrame(header);
    echoes.set(name, echo);
    dropOldest(echoes, maxEchoes);
    if (!addSlice(echo, slice)) onDuplicate();
    else if (echo.missing === 0) {
      echoes.delete(name);
      return [finished(echo.header, echo.body)];
    }
    return [];
  };
}
