import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layerTensors } from '../../model/architecture.ts';
import { dequantise } from '../../model/numbers/dequantise.ts';
import { memorySource } from '../sources/byte-source.ts';
import type { Checkpoint } from '../checkpoint.ts';
import { blobTree } from '../sources/file-tree.ts';
import {
  writeOnnx,
  type OnnxInitializer,
  type OnnxMultiplication,
} from '../fixtures/onnx-writer.ts';
import { tinyGgufConfig, tinyWeights } from '../fixtures/tiny-gguf.ts';
import { openOnnxInt8 } from './onnx-int8.ts';
import { readOnnxGraph } from './onnx-graph.ts';

const config = { ...tinyGgufConfig, vocab_size: 48 };
const scale = Math.fround(0.01);

/** Integers that differ between tensors and between positions. */
function integersOf(name: string, count: number): Int8Array {
  return Int8Array.from(tinyWeights(name, count), (value) => Math.round(value * 200));
}

/** [in, out] as a multiplication stores it, from [out, in]. */
function transposed(values: Int8Array, rows: number, columns: number): Int8Array {
  return Int8Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]);
}

/** The model as ONNX Runtime's dynamic quantisation writes it. */
function quantisedModel(): { parts: OnnxInitializer[]; multiplications: OnnxMultiplication[] } {
  const parts: OnnxInitializer[] = [];
  const multiplications: OnnxMultiplication[] = [];
  for (const { name, shape } of layerTensors(config)
    .slice(0, -1)
    .flatMap((layer) => layer.tensors)) {
    const count = shape.reduce((product, size) => product * size, 1);
    if (shape.length === 1) {
      const raw = new Uint8Array(tinyWeights(name, count).buffer);
      parts.push({ name, type: 1, shape, raw });
      continue;
    }
    const [rows, columns] = shape;
    const isEmbedding = name === 'model.embed_tokens.weight';
    const stem = isEmbedding ? name : `onnx::MatMul_${multiplications.length}`;
    const integers = integersOf(name, count);
    // As that tool writes them, the embedding is unsigned around 128, and matrices are signed around 0.
    const raw = isEmbedding
      ? Uint8Array.from(integers, (value) => value + 128)
      : new Uint8Array(transposed(integers, rows, columns).buffer);
    parts.push(
      { name: `${stem}_scale`, type: 1, shape: [], listed: [scale] },
      {
        name: `${stem}_zero_point`,
        type: isEmbedding ? 2 : 3,
        shape: [],
        listed: [isEmbedding ? 128 : 0],
      },
      {
        name: `${stem}_quantized`,
        type: isEmbedding ? 2 : 3,
        shape: isEmbedding ? shape : [columns, rows],
        raw,
      },
    );
    if (!isEmbedding)
      multiplications.push({
        name: `/${name.replace('.weight', '').replaceAll('.', '/').replace('layers/', 'layers.')}/MatMul_quant`,
        weight: `${stem}_quantized`,
      });
  }
  const norm = new Uint8Array(tinyWeights('model.norm.weight', 32).buffer);
  parts.push({ name: 'model.norm.weight', type: 1, shape: [32], raw: norm });
  return { parts, multiplications };
}

function open(onnx: Uint8Array): Promise<Checkpoint> {
  const tree = blobTree(
    new Map([
      ['config.json', new Blob([JSON.stringify({ ...config, eos_token_id: 2 })])],
      ['onnx/model_quantized.onnx', new Blob([Uint8Array.from(onnx)])],
    ]),
  );
  return openOnnxInt8(tree, 'onnx/model_quantized.onnx', {
    name: 'tiny',
    title: 'Tiny',
    licence: 'MIT',
  });
}

const { parts, multiplications } = quantisedModel();
const whole = writeOnnx(parts, multiplications);

describe('openOnnxInt8', () => {
  it('gives every weight as (q - zero point) × scale, the right way round', async () => {
    const { manifest, sources } = await open(whole);
    for (const { name, offset, bytes, shape } of manifest.layers.flatMap(
      (layer) => layer.tensors,
    )) {
      const numbers = dequantise('F32', await sources[0].read(offset, bytes));
      const expected =
        shape.length === 1
          ? tinyWeights(name, numbers.length)
          : Float32Array.from(integersOf(name, numbers.length), (integer) => integer * scale);
      expect(numbers).toEqual(expected);
    }
  });

  it('gives any range of it', async () => {
    const { sources } = await open(whole);
    const all = await sources[0].read(0, sources[0].bytes);
    await fc.assert(
      fc.asyncProperty(fc.nat(all.length - 1), fc.nat(3000), async (offset, length) => {
        const bytes = Math.min(length, all.length - offset);
        expect(await sources[0].read(offset, bytes)).toEqual(all.slice(offset, offset + bytes));
      }),
    );
  });

  it('refuses what does not hold together', async () => {
    const changed = (name: string, change: Partial<OnnxInitializer>) =>
      writeOnnx(
        parts.map((part) => (part.name === name ? { ...part, ...change } : part)),
        multiplications,
      );
    const cases: [Uint8Array, RegExp][] = [
      [writeOnnx(parts, multiplications.slice(1)), /no quantised multiplication .*q_proj/],
      [
        changed('onnx::MatMul_0_quantized', { shape: [16, 64] }),
        /is 16 × 64, where 32 × 32 belongs/,
      ],
      [changed('onnx::MatMul_0_quantized', { raw: new Uint8Array(9) }), /8-bit integers/],
      [
        changed('onnx::MatMul_0_scale', { name: 'gone' }),
        /lacks the initializer onnx::MatMul_0_scale/,
      ],
      [changed('onnx::MatMul_0_scale', { listed: [1, 2, 3] }), /3 scales or zero points/],
      [changed('model.norm.weight', { type: 2 }), /model\.norm\.weight does not hold 32 numbers/],
    ];
    for (const [onnx, message] of cases) await expect(open(onnx)).rejects.toThrow(message);
  });

  it('answers any cut and any broken byte with a graph that fits the file, or a sentence', async () => {
    const check = async (onnx: Uint8Array): Promise<void> => {
      try {
        const { initializers } = await readOnnxGraph(memorySource(onnx), 'model.onnx');
        for (const { raw } of initializers.values())
          expect((raw?.offset ?? 0) + (raw?.bytes ?? 0)).toBeLessThanOrEqual(onnx.byteLength);
      } catch (error) {
        expect((error as Error).message).toMatch(/^model\.onnx is no (whole )?ONNX model/);
      }
    };
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(255), async (at, byte) => {
        await check(whole.subarray(0, at));
        const broken = Uint8Array.from(whole);
        broken[at] = byte;
        await check(broken);
      }),
      { numRuns: 200 },
    );
  });
});
