import { describe, expect, it } from 'vitest';
import type { ModelConfig } from '../../model/config.ts';
import { writeGguf, type GgufField, type GgufTensor } from '../fixtures/gguf-writer.ts';
import { tinyGgufConfig, tinyGgufMetadata, tinyGgufTensors } from '../fixtures/tiny-gguf.ts';
import { memorySource } from '../sources/byte-source.ts';
import { openGguf } from './gguf-model.ts';

const label = { name: 'tiny', title: 'Tiny', licence: 'MIT' };
const { head_dim: headDim } = tinyGgufConfig;

function list(name: string, factors: number[]): GgufTensor {
  const data = new Uint8Array(Float32Array.from(factors).buffer);
  return { name: `${name}.weight`, shape: [factors.length], type: 0, data };
}

interface Change {
  architecture?: string;
  fields?: Record<string, GgufField>;
  lists?: GgufTensor[];
}

/** The config that a tiny file has with these keys after its architecture's name. */
async function configOf({
  architecture = 'llama',
  fields = {},
  lists = [],
}: Change): Promise<ModelConfig> {
  const own = { ...tinyGgufConfig, model_type: architecture === 'qwen2' ? 'qwen2' : 'llama' };
  const metadata: Record<string, GgufField> = {};
  for (const [key, value] of Object.entries(tinyGgufMetadata(own)))
    metadata[key.replace(/^(llama|qwen2)\./, `${architecture}.`)] = value;
  metadata['general.architecture'] = ['string', architecture];
  for (const [key, value] of Object.entries(fields)) metadata[`${architecture}.${key}`] = value;
  const tensors = tinyGgufTensors({ ...own, attention_bias: architecture === 'qwen2' });
  const file = writeGguf(metadata, [...tensors, ...lists]);
  const files = [{ path: 'tiny.gguf', source: memorySource(file) }];
  return (await openGguf(files, label)).manifest.config;
}

const factor = (value: number): GgufField => ['float32', value];
const text = (value: string): GgufField => ['string', value];

describe('linear scaling', () => {
  const cases: [string, Record<string, GgufField>, number | null][] = [
    ['a factor without a type', { 'rope.scaling.factor': factor(4) }, 4],
    ['the old key', { 'rope.scale_linear': factor(2) }, 2],
    ['none', { 'rope.scaling.type': text('none'), 'rope.scaling.factor': factor(4) }, null],
    [
      'none with the old key',
      { 'rope.scaling.type': text('none'), 'rope.scale_linear': factor(4) },
      null,
    ],
    [
      'its name and the old key',
      { 'rope.scaling.type': text('linear'), 'rope.scale_linear': factor(8) },
      8,
    ],
    ['both keys', { 'rope.scaling.factor': factor(4), 'rope.scale_linear': factor(2) }, 4],
    [
      '0, which the old key does not mend',
      { 'rope.scaling.factor': factor(0), 'rope.scale_linear': factor(2) },
      null,
    ],
    ['0', { 'rope.scaling.factor': factor(0) }, null],
    ['1', { 'rope.scaling.type': text('linear'), 'rope.scaling.factor': factor(1) }, null],
    ['its name alone', { 'rope.scaling.type': text('linear') }, null],
    ['half', { 'rope.scaling.factor': factor(0.5) }, 0.5],
  ];
  for (const architecture of ['llama', 'qwen2', 'phi3'])
    for (const [what, fields, expected] of cases)
      it(`of a ${architecture} file follows from ${what}`, async () => {
        const config = await configOf({ architecture, fields });
        expect(config.rope_scaling).toEqual(
          expected === null ? null : { rope_type: 'linear', factor: expected },
        );
      });

  it('is applied beside a factor for each pair', async () => {
    const lists = [list('rope_freqs', [1, 2, 4, 8])];
    const fields = { 'rope.scaling.factor': factor(2) };
    expect((await configOf({ fields, lists })).rope_scaling).toEqual({
      rope_type: 'per_pair',
      factors: [2, 4, 8, 16],
    });
    const none = { ...fields, 'rope.scaling.type': text('none') };
    expect((await configOf({ fields: none, lists })).rope_scaling).toEqual({
      rope_type: 'per_pair',
      factors: [1, 2, 4, 8],
    });
  });
});

describe('longrope', () => {
  const short = [1, 1.0625, 1.125, 1.25];
  const long = [1.0625, 1.5, 4, 24.5];
  const lists = [list('rope_factors_long', long), list('rope_factors_short', short)];
  const fields: Record<string, GgufField> = {
    context_length: ['uint32', 512],
    'rope.scaling.original_context_length': ['uint32', 64],
    'rope.scaling.attn_factor': factor(1.25),
  };
  const expected = {
    rope_type: 'longrope',
    short_factor: short,
    long_factor: long,
    original_max_position_embeddings: 64,
    attention_factor: 1.25,
  };

  for (const architecture of ['phi3', 'llama'])
    for (const type of [null, 'longrope', 'linear', 'none'])
      it(`is read from the lists of a ${architecture} file of the type ${type}`, async () => {
        const named = type === null ? fields : { ...fields, 'rope.scaling.type': text(type) };
        const config = await configOf({ architecture, fields: named, lists });
        expect(config).toMatchObject({ max_position_embeddings: 512, rope_scaling: expected });
      });

  it('has angles of their own size, and the whole context, where the file says nothing else', async () => {
    const config = await configOf({ architecture: 'phi3', lists });
    expect(config.rope_scaling).toMatchObject({
      attention_factor: 1,
      original_max_position_embeddings: 64,
    });
  });

  it('has fewer factors where part of a head is rotated', async () => {
    const shorter = { ...fields, 'rope.dimension_count': ['uint32', 6] as GgufField };
    const three = [list('rope_factors_long', [1, 2, 3]), list('rope_factors_short', [1, 1, 1])];
    const config = await configOf({ architecture: 'phi3', fields: shorter, lists: three });
    expect(config).toMatchObject({
      partial_rotary_factor: 0.75,
      rope_scaling: { long_factor: [1, 2, 3] },
    });
    await expect(configOf({ architecture: 'phi3', fields: shorter, lists })).rejects.toThrow(
      'has 4 short factors of rotary frequencies, and rotates 3 pairs of each head',
    );
  });

  const wrong: [string, Change, RegExp][] = [
    ['a long list alone', { lists: [lists[0]] }, /lacks rope_factors_short\.weight/],
    ['a short list alone', { lists: [lists[1]] }, /lacks rope_factors_long\.weight/],
    [
      'its name without lists',
      { fields: { 'rope.scaling.type': text('longrope') } },
      /lacks rope_factors_short\.weight and rope_factors_long\.weight/,
    ],
    [
      'a list too long',
      { lists: [lists[0], list('rope_factors_short', [1, 1, 1, 1, 1])] },
      /5 short factors/,
    ],
    ['a list too short', { lists: [list('rope_factors_long', [1]), lists[1]] }, /1 long factors/],
    [
      'factors for each pair that do not fit',
      { lists: [list('rope_freqs', [1, 2])] },
      /2 factors of rotary/,
    ],
    [
      'a factor of 0',
      { lists: [lists[0], list('rope_factors_short', [1, 0, 1, 1])] },
      /short_factor/,
    ],
    [
      'yarn',
      { fields: { 'rope.scaling.type': text('yarn'), 'rope.scaling.factor': factor(4) } },
      /"yarn"/,
    ],
    [
      'yarn with the old key',
      { fields: { 'rope.scaling.type': text('yarn'), 'rope.scale_linear': factor(4) } },
      /"yarn"/,
    ],
    ['yarn beside lists', { fields: { 'rope.scaling.type': text('yarn') }, lists }, /"yarn"/],
    ['a type that nobody knows', { fields: { 'rope.scaling.type': text('spiral') } }, /"spiral"/],
    ['a factor below 0', { fields: { 'rope.scaling.factor': factor(-2) } }, /the factor -2/],
    [
      'a factor that is no number',
      { fields: { 'rope.scaling.factor': factor(NaN) } },
      /the factor NaN/,
    ],
    [
      'larger angles without longrope',
      { fields: { 'rope.scaling.attn_factor': factor(1.5) } },
      /by 1\.5 \(rope\.scaling\.attn_factor\)/,
    ],
    [
      'a list that is no list of numbers',
      { lists: [{ ...lists[0], type: 1, data: new Uint8Array(8) }, lists[1]] },
      /no short list of numbers/,
    ],
  ];
  for (const [what, change, message] of wrong)
    it(`refuses ${what}`, async () => {
      await expect(configOf(change)).rejects.toThrow(message);
    });
});

describe('partial rotation', () => {
  it('is that of the dimensions that the file counts, for Phi-3 alone', async () => {
    const fields: Record<string, GgufField> = { 'rope.dimension_count': ['uint32', 6] };
    expect((await configOf({ architecture: 'phi3', fields })).partial_rotary_factor).toBe(0.75);
    for (const architecture of ['llama', 'qwen2'])
      await expect(configOf({ architecture, fields })).rejects.toThrow(
        `rotates 6 of the ${headDim} dimensions of a head, which is not supported here`,
      );
    const whole: Record<string, GgufField> = { 'rope.dimension_count': ['uint32', headDim] };
    expect(
      (await configOf({ architecture: 'llama', fields: whole })).partial_rotary_factor,
    ).toBeUndefined();
    const more: Record<string, GgufField> = { 'rope.dimension_count': ['uint32', 12] };
    await expect(configOf({ architecture: 'phi3', fields: more })).rejects.toThrow(
      'rotates 12 of the 8',
    );
  });
});
