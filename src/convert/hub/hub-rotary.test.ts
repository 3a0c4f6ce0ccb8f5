import { describe, expect, it } from 'vitest';
import { smollm2 } from '../fixtures/hub-configs.ts';
import { readHubConfig } from './hub-config.ts';

const phi3 = {
  architectures: ['Phi3ForCausalLM'],
  model_type: 'phi3',
  hidden_size: 32,
  intermediate_size: 32,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  vocab_size: 262,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
  hidden_act: 'silu',
  sliding_window: null,
};

const plain = { rope_type: 'default', rope_theta: 10_000 };
const longrope = {
  rope_type: 'longrope',
  rope_theta: 10_000,
  short_factor: [1, 1, 1, 1, 1, 1],
  long_factor: [1, 1.5, 2, 3, 4, 5],
  original_max_position_embeddings: 32,
};

describe('the share of a head that is rotated', () => {
  const shares: [string, object, number | undefined][] = [
    ['in rope_parameters', { rope_parameters: { ...plain, partial_rotary_factor: 0.75 } }, 0.75],
    [
      '1 in rope_parameters',
      { rope_parameters: { ...plain, partial_rotary_factor: 1 } },
      undefined,
    ],
    ['above them', { partial_rotary_factor: 0.75, rope_parameters: plain }, 0.75],
    [
      'in both places',
      { partial_rotary_factor: 0.5, rope_parameters: { ...plain, partial_rotary_factor: 0.75 } },
      0.75,
    ],
    ['in rope_scaling', { rope_scaling: { ...plain, partial_rotary_factor: 0.75 } }, 0.75],
    [
      'null inside',
      { partial_rotary_factor: 0.5, rope_parameters: { ...plain, partial_rotary_factor: null } },
      0.5,
    ],
    [
      'by kind of block',
      { rope_parameters: { full_attention: { ...plain, partial_rotary_factor: 0.75 } } },
      0.75,
    ],
    [
      'alike for both kinds',
      {
        rope_parameters: {
          full_attention: { ...plain, partial_rotary_factor: 0.75 },
          sliding_attention: { ...plain, partial_rotary_factor: 0.75 },
        },
      },
      0.75,
    ],
    [
      'for the only kind there is',
      { rope_parameters: { sliding_attention: { ...plain, partial_rotary_factor: 0.75 } } },
      0.75,
    ],
  ];
  for (const [where, fields, expected] of shares)
    it(`is read ${where}`, () => {
      expect(readHubConfig({ ...phi3, ...fields }).partial_rotary_factor).toBe(expected);
    });

  it('shortens the lists of longrope', () => {
    const rope_parameters = { ...longrope, partial_rotary_factor: 0.75 };
    const fields = { ...phi3, rope_parameters, original_max_position_embeddings: 32 };
    expect(readHubConfig(fields)).toMatchObject({
      partial_rotary_factor: 0.75,
      rope_scaling: { rope_type: 'longrope', long_factor: [1, 1.5, 2, 3, 4, 5] },
    });
    expect(() => readHubConfig({ ...phi3, rope_parameters: longrope })).toThrow(
      'config.json cannot be right: this model has 6 short factors of rotary frequencies, and rotates 8 pairs',
    );
  });

  it('is refused by name where kinds of blocks differ, and in families that rotate whole heads', () => {
    const mixed = {
      full_attention: { ...plain, partial_rotary_factor: 0.75 },
      sliding_attention: plain,
    };
    expect(() => readHubConfig({ ...phi3, rope_parameters: mixed })).not.toThrow();
    const differing = {
      full_attention: { ...plain, partial_rotary_factor: 0.75 },
      sliding_attention: { ...plain, partial_rotary_factor: 1 },
    };
    expect(() => readHubConfig({ ...phi3, rope_parameters: differing })).toThrow(
      /different parts of a head \(partial_rotary_factor\)/,
    );
    const types = [
      'llama',
      'qwen2',
      'qwen3',
      'mistral',
      'gemma',
      'gemma2',
      'gemma3_text',
      'smollm3',
      'olmo2',
      'granite',
    ];
    const places = [
      { partial_rotary_factor: 0.5 },
      { rope_parameters: { ...plain, partial_rotary_factor: 0.5 } },
      { rope_parameters: { full_attention: { ...plain, partial_rotary_factor: 0.5 } } },
      {
        rope_parameters: {
          full_attention: plain,
          sliding_attention: { ...plain, partial_rotary_factor: 0.5 },
        },
      },
    ];
    for (const model_type of types)
      for (const place of places)
        expect(() => readHubConfig({ ...gemmaAware(model_type), ...place }), model_type).toThrow(
          `this ${model_type} model has rotary over part of a head (partial_rotary_factor)`,
        );
  });
});

function gemmaAware(model_type: string): Record<string, unknown> {
  const { hidden_act, ...rest } = smollm2;
  return model_type.startsWith('gemma')
    ? { ...rest, model_type }
    : { ...rest, model_type, hidden_act };
}

describe('rotary settings by kind of block', () => {
  const full = { rope_type: 'linear', factor: 8, rope_theta: 1_000_000 };
  const sliding = { rope_type: 'default', rope_theta: 20_000 };
  const gemma3 = { ...gemmaAware('gemma3_text'), rope_theta: undefined };

  it('are Gemma 3’s two bases', () => {
    const read = readHubConfig({
      ...gemma3,
      rope_parameters: { full_attention: full, sliding_attention: sliding },
    });
    expect(read).toMatchObject({
      rope_theta: 1_000_000,
      rope_local_base_freq: 20_000,
      rope_scaling: { rope_type: 'linear', factor: 8 },
    });
  });

  it('are refused where the window’s blocks are stretched, or others rotate differently', () => {
    expect(() =>
      readHubConfig({
        ...gemma3,
        rope_parameters: { full_attention: full, sliding_attention: full },
      }),
    ).toThrow(/stretched context in its blocks with a window \(rope_parameters\)/);
    const differing = { full_attention: plain, sliding_attention: { ...plain, rope_theta: 5 } };
    expect(() => readHubConfig({ ...smollm2, rope_parameters: differing })).toThrow(
      /blocks that rotate differently \(rope_parameters\)/,
    );
    const alike = { full_attention: plain, sliding_attention: plain };
    expect(readHubConfig({ ...smollm2, rope_parameters: alike }).rope_theta).toBe(10_000);
  });
});

describe('rotary settings in two places', () => {
  it('are those of rope_scaling, unless it is empty', () => {
    const linear = { type: 'linear', factor: 2 };
    const rope_parameters = { rope_type: 'linear', factor: 4, rope_theta: 77 };
    const read = (rope_scaling: unknown) =>
      readHubConfig({ ...smollm2, rope_theta: undefined, rope_scaling, rope_parameters });
    expect(read(linear)).toMatchObject({ rope_theta: 77, rope_scaling: { factor: 2 } });
    for (const empty of [{}, null, { type: null }])
      expect(read(empty)).toMatchObject({ rope_theta: 77, rope_scaling: { factor: 4 } });
  });

  it('take rope_theta from inside first', () => {
    const rope_parameters = { rope_type: 'default', rope_theta: 77 };
    expect(readHubConfig({ ...smollm2, rope_parameters }).rope_theta).toBe(77);
  });
});

describe('what a stretching leaves out', () => {
  it('is the original context of Llama 3', () => {
    const rope_scaling = {
      rope_type: 'llama3',
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
    };
    expect(readHubConfig({ ...smollm2, rope_scaling }).rope_scaling).toMatchObject({
      original_max_position_embeddings: 8192,
    });
  });

  it('is that of Phi-3, 4096, and its name of a while, yarn', () => {
    const eight = Array<number>(8).fill(1);
    for (const type of ['longrope', 'su', 'yarn']) {
      const rope_scaling = {
        type,
        short_factor: eight,
        long_factor: eight,
      };
      expect(readHubConfig({ ...phi3, rope_scaling }).rope_scaling).toMatchObject({
        rope_type: 'longrope',
        original_max_position_embeddings: 4096,
        attention_factor: 1,
      });
    }
  });

  it('is the size of angles, from the factor where one is given', () => {
    const eight = Array<number>(8).fill(1);
    const rope_scaling = { type: 'longrope', factor: 4, short_factor: eight, long_factor: eight };
    const read = readHubConfig({ ...phi3, original_max_position_embeddings: 16, rope_scaling });
    expect(read.rope_scaling).toMatchObject({
      attention_factor: Math.sqrt(1 + Math.log(4) / Math.log(16)),
    });
  });
});
