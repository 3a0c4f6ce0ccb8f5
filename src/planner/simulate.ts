/**
 * Simulates a plan under load, event by event: who computes and who sends when, for sequential decoding and
 * for pipelines with and without bubbles.
 *
 * Every sequence sends its prompt's lap through the plan's stages, and then one lap for each further token. A
 * device computes one thing at a time, and a link carries one message at a time, in the order in which work
 * arrives.
 */
import { hopsOf, stageMs, type Placement } from './evaluate.ts';
import { startRandom } from './random.ts';
import { instanceOf } from './solve.ts';
import type { Stage } from './plan.ts';
import type { Problem } from './problem.ts';

export interface SimulationOptions {
  /** The number of sequences. */
  sequences: number;
  /** Prompt tokens and generated tokens of each; the prompt's lap yields the first token. */
  prompt: number;
  generate: number;
  /** Sequences that share every trip. Default 1. */
  microBatch?: number;
  /**
   * `sequential`: one micro-batch from its prompt to its last token, then the next. `bubbles`: all
   * micro-batches of one token step; the next step begins when the last of them is back (the paper's
   * EdgeShard-Bubbles). `no-bubbles`: each micro-batch starts its next lap as soon as it is back.
   */
  schedule: 'sequential' | 'bubbles' | 'no-bubbles';
  /** Whether a device may compute while it sends. Default true. */
  overlap?: boolean;
  /** All at once (default), or a Poisson process. */
  arrivals?: { perSecond: number; seed: number };
}

export interface Busy {
  /** A device's id, or `from → to` for a link. */
  resource: string;
  kind: 'compute' | 'transfer';
  microBatch: number;
  /** 0 is the prompt's lap. */
  lap: number;
  startMs: number;
  endMs: number;
}

export interface Simulation {
  /** From the first arrival to the last token. */
  totalMs: number;
  /** Mean time between a sequence's tokens; 0 if each generates one. */
  msPerToken: number;
  tokensPerSecond: number;
  /** Mean time from a sequence's arrival to its first token. */
  timeToFirstTokenMs: number;
  /** The share of the whole time in which each device or link was busy. */
  utilisation: Record<string, number>;
  schedule: Busy[];
}

interface Step {
  resource: string;
  kind: Busy['kind'];
  ms: number;
  /** Resources that the step keeps busy: a transfer without overlap also holds its sender. */
  holds: string[];
}

interface Job {
  microBatch: number;
  size: number;
  arrivesMs: number;
  lap: number;
  step: number;
  firstTokenMs: number;
  endMs: number;
}

/** Runs the plan's `stages` under load, with the planner's own times. */
export function simulate(
  problem: Problem,
  stages: readonly Stage[],
  options: SimulationOptions,
): Simulation {
  const jobs = makeJobs(options);
  const largest = Math.max(...jobs.map(({ size }) => size));
  const stepsOf = stepsBySize(problem, stages, options, largest);
  const schedule: Busy[] = [];
  const freeAt = new Map<string, number>();
  const queue = createQueue();
  const start = (job: Job, ms: number) => queue.push(ms, job);
  const waiting = [...jobs];
  let running = 0;

  const admit = (nowMs: number) => {
    for (let job = waiting.at(0); job !== undefined; job = waiting.at(0)) {
      if (running > 0 && options.schedule === 'sequential') return;
      // With bubbles no sequence joins between two steps, so only those present step together.
      if (running > 0 && options.schedule === 'bubbles' && job.arrivesMs > nowMs) return;
      waiting.shift();
      running++;
      start(job, Math.max(nowMs, job.arrivesMs));
    }
  };

  admit(0);
  const back: Job[] = [];
  for (let next = queue.pop(); next !== null; next = queue.pop()) {
    const { job, ms } = next;
    const steps = stepsOf(job.size, job.lap === 0);
    if (job.step < steps.length) {
      const step = steps[job.step];
      const startMs = Math.max(ms, ...step.holds.map((each) => freeAt.get(each) ?? 0));
      if (startMs > ms) {
        queue.push(startMs, job);
        continue;
      }
      const endMs = startMs + step.ms;
      for (const each of step.holds) freeAt.set(each, endMs);
      schedule.push({
        resource: step.resource,
        kind: step.kind,
        microBatch: job.microBatch,
        lap: job.lap,
        startMs,
        endMs,
      });
      job.step++;
      queue.push(endMs, job);
      continue;
    }
    if (job.lap === 0) job.firstTokenMs = ms;
    job.endMs = ms;
    job.lap++;
    job.step = 0;
    if (options.schedule === 'bubbles') {
      back.push(job);
      if (back.length === running) {
        const again = back.splice(0).filter(({ lap }) => lap < options.generate);
        running = again.length;
        for (const each of again) start(each, ms);
        admit(ms);
      }
    } else if (job.lap < options.generate) start(job, ms);
    else {
      running--;
      admit(ms);
    }
  }
  return summarise(jobs, schedule, options.generate);
}

function makeJobs({ sequences, microBatch = 1, arrivals }: SimulationOptions): Job[] {
  const random = startRandom(arrivals?.seed ?? 0);
  const jobs: Job[] = [];
  let nowMs = 0;
  for (let first = 0; first < sequences; first += microBatch) {
    const size = Math.min(microBatch, sequences - first);
    // A micro-batch leaves when the last of its sequences has arrived.
    for (let each = 0; each < size && arrivals !== undefined; each++)
      nowMs += (-Math.log(1 - random()) / arrivals.perSecond) * 1000;
    jobs.push({
      microBatch: jobs.length,
      size,
      arrivesMs: nowMs,
      lap: 0,
      step: 0,
      firstTokenMs: 0,
      endMs: 0,
    });
  }
  return jobs;
}

/** The computations and transfers of one lap in order, for each micro-batch size, for the prompt and for a token. */
function stepsBySize(
  problem: Problem,
  stages: readonly Stage[],
  { prompt, overlap = true }: SimulationOptions,
  largest: number,
): (size: number, isPrompt: boolean) => Step[] {
  const known = new Map<string, Step[]>();
  for (let size = 1; size <= largest; size++)
    for (const isPrompt of [true, false]) {
      // A prompt's lap alone is a request with only one token.
      const instance = instanceOf(
        problem,
        isPrompt
          ? { objective: 'request', request: { prompt, generate: 1 }, batch: size }
          : { objective: 'latency', batch: size },
      );
      const indexOf = new Map(instance.devices.map(({ id }, index) => [id, index]));
      const placement: Placement = stages.map(({ device, first, last }) => ({
        device: indexOf.get(device) ?? -1,
        first,
        last,
      }));
      const hops = hopsOf(instance, placement);
      const steps: Step[] = [];
      for (const stage of placement) {
        const { id } = instance.devices[stage.device];
        steps.push({
          resource: id,
          kind: 'compute',
          ms: stageMs(instance, stage),
          holds: [id],
        });
        const hop = hops.find(({ afterLayer }) => afterLayer === stage.last);
        if (hop === undefined) continue;
        const link = `${id} → ${instance.devices[hop.to].id}`;
        steps.push({
          resource: link,
          kind: 'transfer',
          ms: hop.ms,
          holds: overlap ? [link] : [link, id],
        });
      }
      known.set(`${size} ${isPrompt}`, steps);
    }
  return (size, isPrompt) => known.get(`${size} ${isPrompt}`) ?? [];
}

interface Queue {
  push: (ms: number, job: Job) => void;
  /** The earliest job; of several at one time, the first one pushed. */
  pop: () => { ms: number; job: Job } | null;
}

function createQueue(): Queue {
  const heap: { ms: number; turn: number; job: Job }[] = [];
  let turns = 0;
  const isBefore = (a: number, b: number) =>
    heap[a].ms < heap[b].ms || (heap[a].ms === heap[b].ms && heap[a].turn < heap[b].turn);
  const swap = (a: number, b: number) => ([heap[a], heap[b]] = [heap[b], heap[a]]);
  return {
    push: (ms, job) => {
      heap.push({ ms, turn: turns++, job });
      for (let at = heap.length - 1; at > 0;) {
        const parent = (at - 1) >> 1;
        if (!isBefore(at, parent)) return;
        swap(at, parent);
        at = parent;
      }
    },
    pop: () => {
      if (heap.length === 0) return null;
      const first = heap[0];
      const last = heap.pop();
      if (heap.length > 0 && last !== undefined) {
        heap[0] = last;
        for (let at = 0; ;) {
          const left = 2 * at + 1;
          let least = at;
          for (const child of [left, left + 1])
            if (child < heap.length && isBefore(child, least)) least = child;
          if (least === at) break;
          swap(at, least);
          at = least;
        }
      }
      return first;
    },
  };
}

function summarise(jobs: Job[], schedule: Busy[], generate: number): Simulation {
  const startMs = Math.min(...jobs.map(({ arrivesMs }) => arrivesMs));
  const totalMs = Math.max(...jobs.map(({ endMs }) => endMs)) - startMs;
  const sequences = jobs.reduce((sum, { size }) => sum + size, 0);
  const meanOver = (figure: (job: Job) => number) =>
    jobs.reduce((sum, job) => sum + job.size * figure(job), 0) / sequences;
  const utilisation: Record<string, number> = {};
  for (const { resource, startMs: from, endMs } of schedule)
    utilisation[resource] = (utilisation[resource] ?? 0) + (endMs - from) / totalMs;
  return {
    totalMs,
    msPerToken:
      generate > 1
        ? meanOver(({ endMs, firstTokenMs }) => (endMs - firstTokenMs) / (generate - 1))
        : 0,
    tokensPerSecond: (1000 * sequences * generate) / totalMs,
    timeToFirstTokenMs: meanOver(({ firstTokenMs, arrivesMs }) => firstTokenMs - arrivesMs),
    utilisation,
    schedule,
  };
}
