/**
 * Golden hidden states: the output of every layer for fixed inputs, stored and hashed with the model's
 * layers. A device compares the layers that it has loaded with them before it computes for others.
 *
 * Whole states are stored, not samples, so an error at any position and in any dimension shows. A layer's
 * input is the stored output of the layer before, so every layer is checked by itself and rounding does not
 * add up. In 16 bits that is about a hundredth of the model's bytes.
 */
import type { ModelConfig } from './config.ts';
import { packF16, unpackF16 } from './numbers/f16.ts';

/** The inputs' token ids, and the path of the file, which has one record for each layer and input. */
export interface Golden {
  path: string;
  inputs: number[][];
}

/** The relative rounding error of stored states: half a step of an f16. */
export const goldenRounding = 2 ** -11;

/**
 * One input is a beginning and a step after it. The other is 33 positions and a step that attends to all of
 * them, because attention has failed from 32 new positions on. Each input costs a device time before it may
 * take part.
 */
const inputLengths = [2, 34];

/** Ids below this are whole words in most vocabularies, and rarely untrained. */
const commonIds = 8192;

/** The inputs for a model with this config; each begins as the model's texts do. */
export function goldenInputs(config: ModelConfig): number[][] {
  const { bos_token_id: bos, vocab_size, max_position_embeddings: contextLength } = config;
  const ids = Math.min(vocab_size, commonIds);
  return inputLengths.map((length, input) =>
    Array.from({ length: Math.min(length, contextLength) }, (_, position) =>
      position === 0 && bos !== null && bos >= 0 && bos < vocab_size
        ? bos
        : (7919 * (position + 1) + 613 * input) % ids,
    ),
  );
}

/**
 * A model's golden states if they hold for sequences of up to `contextLength` positions; null if there are none,
 * or if the model rotates by other factors there (longrope) than for the inputs, with which they were recorded.
 */
export function goldenFor(
  { config, golden }: { config: ModelConfig; golden?: Golden | undefined },
  contextLength: number,
): Golden | null {
  if (!golden) return null;
  const { rope_scaling: scaling } = config;
  if (scaling?.rope_type !== 'longrope') return golden;
  const recordedLength = Math.max(...golden.inputs.map((ids) => ids.length));
  const isLong = (length: number): boolean => length > scaling.original_max_position_embeddings;
  return isLong(contextLength) === isLong(recordedLength) ? golden : null;
}

/** The number of positions in a layer's record for an input of this length: the head answers at the last only. */
function goldenPositions(config: ModelConfig, layer: number, inputLength: number): number {
  return layer === headLayer(config) ? 1 : inputLength;
}

/** Numbers at each position of a layer's record. */
function goldenWidth(config: ModelConfig, layer: number): number {
  return layer === headLayer(config) ? config.vocab_size : config.hidden_size;
}

export function goldenBytes(config: ModelConfig, inputs: number[][]): number {
  return recordAt(config, inputs, headLayer(config) + 1, 0).offset;
}

/**
 * One record of the file: the output of `layer` for the `input`-th input.
 *
 * @returns [positions, width]
 */
export function readGolden(
  file: Uint8Array<ArrayBuffer>,
  config: ModelConfig,
  inputs: number[][],
  layer: number,
  input: number,
): Float32Array {
  const { offset, count } = recordAt(config, inputs, layer, input);
  return unpackGolden(file.subarray(offset, offset + recordBytes(count)), count);
}

/** The numbers of one record. */
export function unpackGolden(record: Uint8Array<ArrayBuffer>, count: number): Float32Array {
  const scale = new DataView(record.buffer, record.byteOffset).getFloat32(0, true);
  const halves = record.slice(scaleBytes, scaleBytes + 2 * count);
  return unpackF16(new Uint16Array(halves.buffer)).map((value) => value * scale);
}

/** The bytes of a record. Throws if a value is not finite, which no layer may output. */
export function packGolden(values: Float32Array): Uint8Array<ArrayBuffer> {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (!Number.isFinite(largest))
    throw new Error('a golden state holds a number that is not finite');
  // Scaling by a power of two loses nothing. It brings the largest value just below the largest half.
  const scale = largest === 0 ? 1 : 2 ** Math.max(Math.floor(Math.log2(largest)) - 14, -126);
  const record = new Uint8Array(recordBytes(values.length));
  new DataView(record.buffer).setFloat32(0, scale, true);
  const halves = packF16(values.map((value) => value / scale));
  record.set(new Uint8Array(halves.buffer), scaleBytes);
  return record;
}

const scaleBytes = 4;

/** The scale and the halves, padded so that the next record's scale is aligned. */
function recordBytes(count: number): number {
  return scaleBytes + 4 * Math.ceil(count / 2);
}

function recordAt(
  config: ModelConfig,
  inputs: number[][],
  layer: number,
  input: number,
): { offset: number; count: number } {
  const countOf = (atLayer: number, ofInput: number): number =>
    goldenPositions(config, atLayer, inputs[ofInput].length) * goldenWidth(config, atLayer);
  const layerBytes = (atLayer: number, upTo: number): number =>
    inputs
      .slice(0, upTo)
      .reduce((sum, _, ofInput) => sum + recordBytes(countOf(atLayer, ofInput)), 0);
  // All layers before the head have records of the same size.
  const layersBefore = Math.min(layer, headLayer(config));
  const before = layersBefore * layerBytes(0, inputs.length);
  if (layer > headLayer(config))
    return { offset: before + layerBytes(headLayer(config), inputs.length), count: 0 };
  return { offset: before + layerBytes(layer, input), count: countOf(layer, input) };
}

function headLayer(config: ModelConfig): number {
  return config.num_hidden_layers + 1;
}
