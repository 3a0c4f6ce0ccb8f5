/**
 * A device proves its layers before it computes for others. Each loaded layer must turn its golden inputs into the
 * outputs that the model's manifest promises, with whatever backend and weight type it runs.
 */
import type { Engine, LoadedLayer, RunRequest } from '../../engine/engine.ts';
import { goldenFor, readGolden, type Golden } from '../../model/golden.ts';
import { layerName } from '../../model/layer-names.ts';
import type { Manifest } from '../../model/manifest.ts';
import type { ShardReader } from '../../store/shard-reader.ts';
import { deviationOf, isWithin, limitOf, piecesAreExact } from './deviation.ts';

export interface SelfProof {
  /** Rejects with `WrongResult` where the layer computes wrongly. Does nothing for a model without golden states for this context. */
  prove(loaded: Pick<LoadedLayer, 'layer' | 'weights'>): Promise<void>;
}

/** A layer does not compute what it should on this device. The message is a sentence for the screen. */
export class WrongResult extends Error {}

export interface SelfProofOptions {
  engine: Engine;
  manifest: Manifest;
  reader: Pick<ShardReader, 'readFile'>;
  contextLength: number;
  /** Positions that this device runs at a time while it reads a prompt. */
  prefillChunk: number;
}

/** Sequences that no answer has. */
const sequenceOf = (input: number): number => -1 - input;

export function createSelfProof(options: SelfProofOptions): SelfProof {
  const { engine, manifest, reader } = options;
  const golden = goldenFor(manifest, options.contextLength);
  let file: Promise<Uint8Array<ArrayBuffer>> | null = null;

  return {
    async prove({ layer, weights }) {
      if (!golden) return;
      file ??= reader.readFile(golden.path);
      const states = statesOf(options, golden, await file.catch(forget), layer);
      const { backend } = engine.info;
      const chunk = piecesAreExact(backend, weights) ? options.prefillChunk : 1;
      const limit = limitOf(weights);
      try {
        const outputs = await runStates(engine, manifest, layer, states, chunk);
        states.forEach(({ expected, addedTo, width }, index) => {
          const deviation = deviationOf(outputs[index], expected, addedTo, width);
          if (isWithin(deviation, limit)) return;
          throw new WrongResult(
            `${layerName(layer, manifest.layers.length)} came out wrong with ${weights} on ${backend}: ` +
              `off by ${shown(deviation.spread)}, where ${shown(limit.spread)} is allowed.`,
          );
        });
      } finally {
        for (const index of states.keys()) await engine.releaseSequence(sequenceOf(index));
      }
    },
  };

  /** Another layer may find it. */
  function forget(error: unknown): never {
    file = null;
    throw error;
  }
}

/** One golden input as a layer meets it. */
interface GoldenState {
  ids: number[];
  /** [positions, hidden_size] of the layer before; null for the embedding. */
  input: Float32Array | null;
  /** [positions, width]; the head's are of the last position only. */
  expected: Float32Array;
  width: number;
  /** What a block adds to; null for the embedding and the head, which put out something else. */
  addedTo: Float32Array | null;
}

/** Attention looks back only, so that a shorter context takes the beginning. */
function statesOf(
  { manifest: { config, layers }, contextLength }: SelfProofOptions,
  { inputs }: Golden,
  file: Uint8Array<ArrayBuffer>,
  layer: number,
): GoldenState[] {
  const isHead = layer === layers.length - 1;
  const width = isHead ? config.vocab_size : config.hidden_size;
  return inputs.map((all, index) => {
    // The head looks at the last position, which a context of any length has.
    const ids = isHead ? all : all.slice(0, contextLength);
    const before = layer > 0 ? readGolden(file, config, inputs, layer - 1, index) : null;
    const expected = readGolden(file, config, inputs, layer, index);
    if (isHead)
      return {
        ids: ids.slice(-1),
        input: before && before.slice(-config.hidden_size),
        expected,
        width,
        addedTo: null,
      };
    const input = before && before.slice(0, ids.length * width);
    return { ids, input, expected: expected.slice(0, ids.length * width), width, addedTo: input };
  });
}

/**
 * Runs every input through the layer as answers would: the first one position by position, the others in
 * chunks, and the last positions of all of them together.
 */
async function runStates(
  engine: Engine,
  { config }: Manifest,
  layer: number,
  states: GoldenState[],
  chunk: number,
): Promise<Float32Array[]> {
  const outputs = states.map(({ expected }) => new Float32Array(expected.length));
  const request = (index: number, position: number, tokens: number): RunRequest => {
    const { input, ids } = states[index];
    const { hidden_size: width } = config;
    return {
      ...{ first: layer, last: layer, sequence: sequenceOf(index), position },
      input: input
        ? {
            kind: 'hidden',
            tokens,
            values: input.slice(position * width, (position + tokens) * width),
          }
        : { kind: 'tokens', ids: Int32Array.from(ids.slice(position, position + tokens)) },
    };
  };
  const keep = (index: number, position: number, values: Float32Array): void =>
    outputs[index].set(values, position * states[index].width);

  for (const [index, { ids }] of states.entries()) {
    const piece = index === 0 ? 1 : chunk;
    for (let position = 0; position < ids.length - 1; position += piece) {
      const tokens = Math.min(piece, ids.length - 1 - position);
      keep(index, position, (await engine.run(request(index, position, tokens))).values);
    }
  }
  const lasts = states.map(({ ids }, index) => request(index, ids.length - 1, 1));
  const results = await engine.runBatch(lasts);
  results.forEach(({ values }, index) => keep(index, states[index].ids.length - 1, values));
  return outputs;
}

function shown(value: number): string {
  return value.toPrecision(2);
}
