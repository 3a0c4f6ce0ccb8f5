/**
 * Golden states for a model that came without any, straight from a hub. What a layer makes of a fixed input is recorded
 * where it first runs, and counts once a second device makes the same of it. Devices that take the layer later are
 * compared with that. All of it happens while nobody waits for an answer.
 */
import type { WeightType } from '../../../../engine/engine.ts';
import type { ModelConfig } from '../../../../model/config.ts';
import { goldenInputs } from '../../../../model/golden.ts';
import { layerName } from '../../../../model/layer-names.ts';
import {
  deviationOf,
  isWithin,
  type Job,
  limitOf,
  piecesAreExact,
} from '../../../compute/index.ts';
import type { Member } from '../../membership/index.ts';

export interface GoldenRecorderOptions {
  config: ModelConfig;
  contextLength: number;
  members: ReadonlyMap<string, Member>;
  /** The embedding's states, which are the host's own. */
  embed: (ids: Int32Array) => Promise<Float32Array>;
  /** Has a device, or the host itself, run layers; null where no answer comes in good time. */
  ask: (deviceId: string, job: Job) => Promise<Float32Array | null>;
  /** The member's work was wrong; a sentence. */
  onWrong: (member: Member, reason: string) => void;
}

export interface GoldenRecorder {
  /** Goes on until every layer has been seen on every device that holds it, or somebody asks something. */
  work(signal: AbortSignal): Promise<void>;
  /** Layers on whose states two devices agree. */
  agreed(): number[];
}

interface Entry {
  input: Float32Array;
  states: Float32Array;
  weights: WeightType;
  /** The device that it was recorded on, and those that agree. */
  by: Member[];
}

export function createGoldenRecorder(options: GoldenRecorderOptions): GoldenRecorder {
  const { config, members } = options;
  const ids = Int32Array.from(goldenInputs(config)[1].slice(0, options.contextLength));
  const entries = new Map<number, Entry>();
  /** Layers that each device has answered for, as long as it holds them. */
  const answered = new Map<Member, Set<number>>();

  async function meet(member: Member, layer: number, input: Float32Array): Promise<void> {
    const weights = member.profile?.compute.weights ?? 'f32';
    const states = await options.ask(member.id, { first: layer, last: layer, weights, input });
    if (!states) return;
    layersAnswered(member).add(layer);
    const entry = entries.get(layer);
    if (!entry) entries.set(layer, { input, states, weights, by: [member] });
    else if (agree(entry, { states, weights }, input)) entry.by.push(member);
    else await settle(member, layer, entry, { states, weights });
  }

  /** Two devices differ. If two had agreed before, the third is wrong. Else the host says which one is, if it can. */
  async function settle(
    member: Member,
    layer: number,
    entry: Entry,
    other: Pick<Entry, 'states' | 'weights'>,
  ): Promise<void> {
    const name = layerName(layer, config.num_hidden_layers + 2);
    const wrong = `${name} gives another result for a fixed input there than on other devices.`;
    if (entry.by.length > 1) {
      options.onWrong(member, wrong);
      return;
    }
    const { weights, input } = entry;
    const host = members.get('host');
    const backend = host?.profile?.compute.backend;
    if (!host || !backend || !piecesAreExact(backend, weights)) return;
    const states = await options.ask('host', { first: layer, last: layer, weights, input });
    if (!states) return;
    const ofHost = { states, weights };
    const others = [
      { by: [member], agrees: agree(ofHost, other, input) },
      { by: entry.by, agrees: agree(ofHost, entry, input) },
    ];
    const by = others.flatMap((each) => (each.agrees ? each.by : []));
    if (!others[1].agrees) forgetFrom(layer + 1);
    entries.set(layer, { input, ...ofHost, by: [host, ...by] });
    for (const each of others)
      if (!each.agrees) for (const falseAccuser of each.by) options.onWrong(falseAccuser, wrong);
  }

  /** The layers that follow were given wrong states, so what they made of them proves nothing. */
  function forgetFrom(layer: number): void {
    for (let later = layer; later <= config.num_hidden_layers; later++) {
      entries.delete(later);
      for (const layers of answered.values()) layers.delete(later);
    }
  }

  /** As near as the less exact of the two can be. */
  function agree(
    a: Pick<Entry, 'states' | 'weights'>,
    b: Pick<Entry, 'states' | 'weights'>,
    input: Float32Array,
  ): boolean {
    const deviation = deviationOf(a.states, b.states, input, config.hidden_size);
    return isWithin(deviation, limitOf(a.weights)) || isWithin(deviation, limitOf(b.weights));
  }

  function layersAnswered(member: Member): Set<number> {
    const layers = answered.get(member) ?? new Set();
    answered.set(member, layers);
    return layers;
  }

  /** Devices that hold the layer and have not been asked since they took it. */
  function unheard(layer: number): Member[] {
    return [...members.values()].filter((member) => {
      const holds = member.layers.some(({ first, last }) => layer >= first && layer <= last);
      if (!holds) layersAnswered(member).delete(layer);
      const { compute } = member.profile ?? {};
      const isExact = compute !== undefined && piecesAreExact(compute.backend, compute.weights);
      return holds && isExact && member.excluded === null && !layersAnswered(member).has(layer);
    });
  }

  async function statesBefore(layer: number): Promise<Float32Array | undefined> {
    return layer === 1 ? options.embed(ids) : entries.get(layer - 1)?.states;
  }

  return {
    async work(signal) {
      for (const member of answered.keys())
        if (members.get(member.id) !== member) answered.delete(member);
      for (let layer = 1; layer <= config.num_hidden_layers; layer++)
        for (const member of unheard(layer)) {
          if (signal.aborted) return;
          const input = entries.get(layer)?.input ?? (await statesBefore(layer));
          // The layer before has been seen nowhere yet.
          if (!input) return;
          await meet(member, layer, input);
        }
    },
    agreed: () => [...entries].filter(([, { by }]) => by.length > 1).map(([layer]) => layer),
  };
}
