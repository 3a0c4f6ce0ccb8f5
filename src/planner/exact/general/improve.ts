/**
 * Finds good plans fast by local search over the order of devices; the ranges of every order are cut
 * optimally. In its plans each device has one range, and the source perhaps a second. Label setting finds the
 * others.
 */
import { mergeStages } from '../../evaluate.ts';
import type { Instance } from '../../instance.ts';
import type { Incumbent } from '../search.ts';
import { cutOrder } from './cuts.ts';
import type { Tables } from './tables.ts';

interface Tour {
  order: number[];
  tail: number;
  /** Ms; if layers do not fit, a larger number that grows with how many do not. */
  score: number;
}

/** @param orders orders to start from */
export function improveOrders(
  instance: Instance,
  tables: Tables,
  orders: number[][],
  incumbent: Incumbent,
  stop: () => boolean,
): void {
  const pinnedLast = instance.layerCount - instance.pinLastFrom;
  const tails = [pinnedLast, pinnedLast + 1, pinnedLast + 2].filter(
    (tail) => tail < instance.layerCount - instance.pinFirst,
  );
  const starts = orders.flatMap((order) => tails.map((tail) => rate(order, tail)));
  starts.sort((a, b) => a.score - b.score);
  for (const start of starts.slice(0, 3)) climb(start);

  function climb(from: Tour): void {
    let tour = from;
    for (;;) {
      let better: Tour | null = null;
      for (const order of neighbours(tour.order)) {
        if (stop()) return;
        const next = rate(order, tour.tail);
        if (next.score < (better ?? tour).score - 1e-9) better = next;
      }
      for (const tail of tails) {
        const next = rate(tour.order, tail);
        if (next.score < (better ?? tour).score - 1e-9) better = next;
      }
      if (better === null) return;
      tour = better;
    }
  }

  function rate(order: number[], tail: number): Tour {
    const { ms, layersHeld, placement } = cutOrder(instance, tables, order, tail);
    if (ms < incumbent.ms()) incumbent.offer(mergeStages(placement));
    const score = Number.isFinite(ms) ? ms : 1e9 * (instance.layerCount + 1 - layersHeld);
    return { order, tail, score };
  }

  function* neighbours(order: number[]): Generator<number[]> {
    const fixed = instance.pinFirst > 0 ? 1 : 0;
    const unused = instance.kinds.flatMap(({ members }) =>
      members.filter((member) => !order.includes(member)).slice(0, 1),
    );
    for (let place = fixed; place < order.length; place++) yield order.toSpliced(place, 1);
    for (const device of unused) {
      for (let place = fixed; place <= order.length; place++)
        yield order.toSpliced(place, 0, device);
      for (let place = fixed; place < order.length; place++)
        yield order.toSpliced(place, 1, device);
    }
    for (let from = fixed; from < order.length; from++)
      for (let to = fixed; to < order.length; to++) {
        if (from === to) continue;
        yield order.toSpliced(from, 1).toSpliced(to, 0, order[from]);
        if (from < to) {
          const swapped = [...order];
          [swapped[from], swapped[to]] = [order[to], order[from]];
          yield swapped;
          yield [
            ...order.slice(0, from),
            ...order.slice(from, to + 1).reverse(),
            ...order.slice(to + 1),
          ];
        }
      }
  }
}
