/** Bubbles against no-bubbles, one by one, beside the planner's simulator for the stages and links measured there. */
import { simulate, type Problem } from '../../../src/planner/index.ts';
import type { TabRoom } from '../../harness/devices/tab-room.ts';
import { askTogether, steadyTokensPerSecond } from '../ask-together.ts';
import type { BenchRooms } from '../bench-rooms.ts';
import { hopOverheadsMs, stageMs, wireMsBefore } from '../lap-figures.ts';
import { idsQuestion } from '../room-questions.ts';
import { median } from '../statistics.ts';
import type { LapTiming } from '../../../src/room/index.ts';

export interface PipelineFigures {
  inFlight: number;
  pipeline: 'bubbles' | 'no-bubbles';
  tokensPerSecond: number;
  simulatedTokensPerSecond: number;
  /** Measured / simulated. */
  ratio: number;
}

const counts = [1, 2, 4, 8];
const promptTokens = 8;

export async function measurePipelines(
  rooms: BenchRooms,
  tokens: number,
  report: (figures: PipelineFigures) => void,
): Promise<void> {
  for (const pipeline of ['bubbles', 'no-bubbles'] as const)
    // In 8 bits, as in `throughput.ts`: the simulator knows nothing of two devices that share one memory.
    await rooms.within('long', 2, { pipeline, maxBatch: 1, weights: 'q8', wire: 'f16' }, (room) =>
      measureCounts(room, pipeline, tokens, report),
    );
}

async function measureCounts(
  room: TabRoom,
  pipeline: PipelineFigures['pipeline'],
  tokens: number,
  report: (figures: PipelineFigures) => void,
): Promise<void> {
  const stages = (await room.view()).plan?.stages ?? [];
  await room.ask(idsQuestion(0, promptTokens, tokens));
  const alone = await room.ask(idsQuestion(0, promptTokens, tokens));
  const problem = measuredProblem(alone.laps.slice(1), stages);
  for (const inFlight of counts) {
    const requests = Array.from({ length: inFlight }, (_, index) => ({
      request: idsQuestion(index, promptTokens, tokens),
      afterMs: 0,
    }));
    const tokensPerSecond = steadyTokensPerSecond(await askTogether(room.host, requests));
    const { tokensPerSecond: simulatedTokensPerSecond } = simulate(
      problem,
      stages.map(({ device }, layer) => ({ device, first: layer, last: layer })),
      { sequences: inFlight, prompt: 1, generate: tokens, schedule: pipeline },
    );
    const ratio = tokensPerSecond / simulatedTokensPerSecond;
    report({ inFlight, pipeline, tokensPerSecond, simulatedTokensPerSecond, ratio });
  }
}

/** One layer a stage, each on its own device, with the times that were measured: what is left is who waits for whom. */
function measuredProblem(laps: readonly LapTiming[], stages: { device: string }[]): Problem {
  const computeMs = stageMs(laps);
  const wireMs = wireMsBefore(laps);
  // Over half a round trip, or under it: an echo that meets a frame takes longer than one that does not.
  const besideMs = median(hopOverheadsMs(laps));
  const devices = [...new Set(stages.map(({ device }) => device))];
  const hops = new Map(
    stages.slice(1).map(({ device }, index) => {
      const from = stages[index].device;
      const latencyMs = Math.max(0, wireMs[index + 1] + besideMs);
      return [`${from} ${device}`, { from, to: device, latencyMs, mbps: 1e6, hopMs: 0 }];
    }),
  );
  return {
    layers: stages.map((_, layer) => ({ name: `stage ${layer}`, memoryBytes: 0, outputBytes: 0 })),
    devices: devices.map((id) => ({
      id,
      memoryBytes: 1,
      layerMs: stages.map(({ device }, layer) => (device === id ? computeMs[layer] : 1e6)),
    })),
    links: [...hops.values()],
    source: stages[0].device,
    pin: { first: 1, last: 1 },
  };
}
