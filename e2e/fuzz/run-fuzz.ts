/** Feeds every handler in turn, and watches that memory stays where it was. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { readTinyModelFile } from '../../src/engine/fixtures/node-runtime.ts';
import { startRandom } from '../../src/planner/random.ts';
import { standInForPage } from '../../src/transport/fixtures/memory-connection.ts';
import { linkTarget } from './link-target.ts';
import { relayTarget } from './relay-target.ts';
import { admissionTarget, partTarget } from './room-targets.ts';
import { stageTarget } from './stage-target.ts';
import { createTally, type Count } from './tally.ts';
import type { Target, TargetOptions } from './target.ts';
import { bulkTarget, handshakeTarget, reassemblerTarget } from './wire-targets.ts';

export interface FuzzReport {
  seed: number;
  frames: number;
  seconds: number;
  counts: readonly Count[];
  /** Types that were never valid or never refused: then the run has shown nothing of them. */
  missing: readonly Count[];
  /** Heap after the first tenth and at the end, garbage collected, MB. */
  heapMb: [early: number, late: number];
}

/** How far the heap may grow after the first tenth: compiled code and a few caches that fill up. */
export const heapGrowthMb = 48;

const tenths = 10;

export async function runFuzz(
  frames: number,
  seed: number,
  say: (sentence: string) => void,
): Promise<FuzzReport> {
  standInForPage();
  const tally = createTally();
  const options: TargetOptions = { random: startRandom(seed), seed, tally };
  const model = await readTinyModelFile('tiny-llama');
  /** Bare parsers are quick; whole devices, with their proofs and their arithmetic, are not. */
  const targets: [Target, share: number][] = [
    [reassemblerTarget(options), 0.62],
    [bulkTarget(options), 0.2],
    [handshakeTarget(options), 0.02],
    [await relayTarget(options), 0.03],
    [await linkTarget(options), 0.05],
    [await admissionTarget(options), 0.03],
    [partTarget(options, model), 0.03],
    [await stageTarget(options, model), 0.02],
  ];
  const startedMs = performance.now();
  let fed = 0;
  let earlyMb = 0;
  for (let tenth = 1; tenth <= tenths; tenth++) {
    for (const [target, share] of targets)
      fed += await target.feed(Math.ceil((frames * share) / tenths));
    if (tenth === 1) earlyMb = await heapMb();
    say(`${fed} frames`);
  }
  const seconds = (performance.now() - startedMs) / 1000;
  const lateMb = await heapMb();
  for (const [target] of targets) await target.close();
  return {
    seed,
    frames: fed,
    seconds,
    counts: tally.counts,
    missing: tally.missing,
    heapMb: [earlyMb, lateMb],
  };
}

/** Connections that were just closed are kept for a second, so that a last word arrives. */
const lastWordsMs = 1500;
/** Less than this, and what could go has gone. */
const restMb = 1;
const mostLooks = 8;

/** What stays: links that were closed go one after the other, and with each collection more of their memory. */
async function heapMb(): Promise<number> {
  setFlagsFromString('--expose_gc');
  const collect: unknown = runInNewContext('gc');
  let beforeMb = Infinity;
  for (let look = 0; ; look++) {
    await new Promise((resolve) => setTimeout(resolve, lastWordsMs));
    if (typeof collect === 'function') Reflect.apply(collect, null, []);
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    const nowMb = (heapUsed + arrayBuffers) / 1e6;
    if (beforeMb - nowMb < restMb || look === mostLooks) return Math.min(nowMb, beforeMb);
    beforeMb = nowMb;
  }
}
