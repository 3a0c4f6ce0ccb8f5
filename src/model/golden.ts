/**
 * Golden hidden states: what every layer makes of a fixed input, kept beside the layers and hashed with them.
 * A device holds the layers that it has loaded against them before it computes for others.
 *
 * The whole states are kept, not samples of them: a layer's own states in are what the layer before put out,
 * so a layer is proven by itself, and an error at any position and in any dimension shows. In 16 bits that is
 * about a hundredth of the model's bytes. What a layer puts out is computed from its kept states in, so
 * rounding does not add up from layer to layer.
 */
import type { ModelConfig } from './config.ts';
import { packF16, unpackF16 } from './f16.ts';

/** The inputs' token ids, and the file with a block for each layer and input. */
export interface Golden {
  path: string;
  inputs: number[][];
}

/** What kept states may differ by from the computed ones: half a step of an f16, relative. */
export const goldenRounding = 2 ** -11;

/**
 * A beginning and a step after it; and 33 positions to read, past the 32 where attention was seen to fail,
 * with a step that looks back on all of them. Each run costs a device time before it may take part.
 */
const inputLengths = [2, 34];

/** Ids in this range are whole words in most vocabularies, and rarely left untrained. */
const commonIds = 8192;

/** The inputs that are run through a model of this shape; each starts as its texts do. */
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

/** How many positions a layer's block holds for an input of this length: the head answers at the last only. */
function goldenPositions(config: ModelConfig, layer: number, inputLength: number): number {
  return layer === headLayer(config) ? 1 : inputLength;
}

/** Numbers at each position of a layer's block. */
function goldenWidth(config: ModelConfig, layer: number): number {
  return layer === headLayer(config) ? config.vocab_size : config.hidden_size;
}

export function goldenBytes(config: ModelConfig, inputs: number[][]): number {
  return blockAt(config, inputs, headLayer(config) + 1, 0).offset;
}

/**
 * One block of the file: what `layer` puts out for the `input`-th input.
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
  const { offset, count } = blockAt(config, inputs, layer, input);
  return unpackGolden(file.subarray(offset, offset + blockBytes(count)), count);
}

/** The numbers of one block. */
export function unpackGolden(block: Uint8Array<ArrayBuffer>, count: number): Float32Array {
  const scale = new DataView(block.buffer, block.byteOffset).getFloat32(0, true);
  const halves = block.slice(scaleBytes, scaleBytes + 2 * count);
  return unpackF16(new Uint16Array(halves.buffer)).map((value) => value * scale);
}

/** The bytes of a block. Throws where a value is not finite: no layer may put that out. */
export function packGolden(values: Float32Array): Uint8Array<ArrayBuffer> {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (!Number.isFinite(largest))
    throw new Error('a golden state holds a number that is not finite');
  // A power of two loses nothing; it brings the largest value just below the largest half.
  const scale = largest === 0 ? 1 : 2 ** Math.max(Math.floor(Math.log2(largest)) - 14, -126);
  const block = new Uint8Array(blockBytes(values.length));
  new DataView(block.buffer).setFloat32(0, scale, true);
  const halves = packF16(values.map((value) => value / scale));
  block.set(new Uint8Array(halves.buffer), scaleBytes);
  return block;
}

const scaleBytes = 4;

/** The scale and the halves, filled up so that the next block's scale is aligned. */
function blockBytes(count: number): number {
  return scaleBytes + 4 * Math.ceil(count / 2);
}

function blockAt(
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
      .reduce((sum, _, ofInput) => sum + blockBytes(countOf(atLayer, ofInput)), 0);
  // All layers before the head put out blocks of the same size.
  const blocksBefore = Math.min(layer, headLayer(config));
  const before = blocksBefore * layerBytes(0, inputs.length);
  if (layer > headLayer(config))
    return { offset: before + layerBytes(headLayer(config), inputs.length), count: 0 };
  return { offset: before + layerBytes(layer, input), count: countOf(layer, input) };
}

function headLayer(config: ModelConfig): number {
  return config.num_hidden_layers + 1;
}
