/**
 * Golden hidden states: what every row makes of a fixed input, kept beside the rows and hashed with them.
 * A device holds the rows that it has loaded against them before it computes for others.
 *
 * The whole states are kept, not samples of them: a row's own states in are what the row before put out,
 * so a row is proven by itself, and an error at any position and in any dimension shows. In 16 bits that is
 * about a hundredth of the model's bytes. What a row puts out is computed from its kept states in, so
 * rounding does not add up from row to row.
 */
import type { ModelConfig } from './config.ts';
import { packF16, unpackF16 } from './f16.ts';

/** The inputs' token ids, and the file with a block for each row and input. */
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

/** How many positions a row's block holds for an input of this length: the head answers at the last only. */
function goldenPositions(config: ModelConfig, row: number, inputLength: number): number {
  return row === headRow(config) ? 1 : inputLength;
}

/** Numbers at each position of a row's block. */
function goldenWidth(config: ModelConfig, row: number): number {
  return row === headRow(config) ? config.vocab_size : config.hidden_size;
}

export function goldenBytes(config: ModelConfig, inputs: number[][]): number {
  return blockAt(config, inputs, headRow(config) + 1, 0).offset;
}

/**
 * One block of the file: what `row` puts out for the `input`-th input.
 *
 * @returns [positions, width]
 */
export function readGolden(
  file: Uint8Array<ArrayBuffer>,
  config: ModelConfig,
  inputs: number[][],
  row: number,
  input: number,
): Float32Array {
  const { offset, count } = blockAt(config, inputs, row, input);
  return unpackGolden(file.subarray(offset, offset + blockBytes(count)), count);
}

/** The numbers of one block. */
export function unpackGolden(block: Uint8Array<ArrayBuffer>, count: number): Float32Array {
  const scale = new DataView(block.buffer, block.byteOffset).getFloat32(0, true);
  const halves = block.slice(scaleBytes, scaleBytes + 2 * count);
  return unpackF16(new Uint16Array(halves.buffer)).map((value) => value * scale);
}

/** The bytes of a block. Throws where a value is not finite: no row may put that out. */
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
  row: number,
  input: number,
): { offset: number; count: number } {
  const countOf = (atRow: number, ofInput: number): number =>
    goldenPositions(config, atRow, inputs[ofInput].length) * goldenWidth(config, atRow);
  const rowBytes = (atRow: number, upTo: number): number =>
    inputs.slice(0, upTo).reduce((sum, _, ofInput) => sum + blockBytes(countOf(atRow, ofInput)), 0);
  // All rows before the head put out blocks of the same size.
  const layersBefore = Math.min(row, headRow(config));
  const before = layersBefore * rowBytes(0, inputs.length);
  if (row > headRow(config))
    return { offset: before + rowBytes(headRow(config), inputs.length), count: 0 };
  return { offset: before + rowBytes(row, input), count: countOf(row, input) };
}

function headRow(config: ModelConfig): number {
  return config.num_hidden_layers + 1;
}
