import { describe, expect, it } from 'vitest';
import type { ModelConfig } from '../../model/config.ts';
import { ggufConfig } from './gguf-config.ts';
import type { GgufValue } from './gguf-header.ts';
import { metadataOf } from './gguf-metadata.ts';
import { hubNameOf } from './gguf-names.ts';

const figures: Record<string, GgufValue> = {
  context_length: 8192,
  embedding_length: 256,
  block_count: 8,
  feed_forward_length: 512,
  'attention.head_count': 8,
  'attention.head_count_kv': 4,
  'attention.key_length': 64,
  'attention.layer_norm_rms_epsilon': 1e-6,
};

const facts = {
  vocabSize: 1000,
  hasOutput: false,
  rotaryFactors: { perPair: null, short: null, long: null },
  hasAttentionBias: false,
  hasFeedForwardBias: false,
};

function read(
  architecture: string,
  fields: Record<string, GgufValue> = {},
  more: Record<string, GgufValue> = {},
): ModelConfig {
  const values = Object.entries({ ...figures, ...fields }).map(
    ([key, value]): [string, GgufValue] => [`${architecture}.${key}`, value],
  );
  const metadata = new Map<string, GgufValue>([
    ['general.architecture', architecture],
    ...values,
    ...Object.entries(more),
  ]);
  return ggufConfig(metadataOf(metadata, 'some.gguf'), facts, 'some.gguf');
}

const fullBlocks = ({ layer_types: types }: ModelConfig): number[] =>
  types?.flatMap((type, block) => (type === 'full_attention' ? block : [])) ?? [];

describe('Gemma in GGUF', () => {
  it('has norms that already include the 1, and its activation', () => {
    for (const architecture of ['gemma', 'gemma2', 'gemma3']) {
      const { norm_weight_offset: offset, hidden_act: activation } = read(architecture);
      expect([offset ?? 0, activation]).toEqual([0, 'gelu_pytorch_tanh']);
    }
  });

  it('2 has a window in every other block, and its bounds, though files may leave them out', () => {
    const config = read('gemma2');
    expect(fullBlocks(config)).toEqual([1, 3, 5, 7]);
    expect(config).toMatchObject({
      sliding_window: 4096,
      attn_logit_softcapping: 50,
      final_logit_softcapping: 30,
    });
    expect(config.query_pre_attn_scalar).toBeUndefined();
  });

  it('3 has a window in five of six blocks, with a rotary base of their own', () => {
    const config = read('gemma3', { 'attention.sliding_window': 512, 'rope.freq_base': 1e6 });
    expect(fullBlocks(config)).toEqual([5]);
    expect(config).toMatchObject({
      sliding_window: 512,
      rope_theta: 1e6,
      rope_local_base_freq: 10_000,
      final_logit_softcapping: null,
    });
  });

  it('3 without a window attends to everything', () => {
    expect(fullBlocks(read('gemma3'))).toHaveLength(8);
    expect(fullBlocks(read('gemma3', { 'attention.sliding_window': 0 }))).toHaveLength(8);
  });

  it('tells which blocks have the window, by a period or one by one', () => {
    const pattern = 'attention.sliding_window_pattern';
    const windowed = { 'attention.sliding_window': 512 };
    expect(fullBlocks(read('gemma3', { ...windowed, [pattern]: 4 }))).toEqual([3, 7]);
    expect(fullBlocks(read('gemma3', { ...windowed, [pattern]: 1 }))).toHaveLength(8);
    const each = [true, true, false, true, true, true, true, false];
    expect(fullBlocks(read('gemma2', { [pattern]: each }))).toEqual([2, 7]);
    expect(() => read('gemma2', { [pattern]: [true] })).toThrow(/for 1 blocks, and it has 8/);
  });

  it('scales scores by another figure where it is a 27B model', () => {
    expect(read('gemma2', { block_count: 46 }).query_pre_attn_scalar).toBe(32);
    expect(read('gemma3', { block_count: 62 }).query_pre_attn_scalar).toBe(32);
    expect(read('gemma3', { block_count: 46 }).query_pre_attn_scalar).toBeUndefined();
  });
});

describe('other families in GGUF', () => {
  it('SmolLM3 rotates nothing in every fourth block', () => {
    expect(read('smollm3').no_rope_layers).toEqual([1, 1, 1, 0, 1, 1, 1, 0]);
  });

  it('Granite has its multipliers, of which a 0 means none', () => {
    const scales = {
      logit_scale: 8,
      embedding_scale: 12,
      residual_scale: 0.22,
      'attention.scale': 0.015625,
    };
    expect(read('granite', scales)).toMatchObject({
      embedding_multiplier: 12,
      residual_multiplier: 0.22,
      attention_multiplier: 0.015625,
      logits_scaling: 8,
    });
    const none = { logit_scale: 8, embedding_scale: 0, residual_scale: 0, 'attention.scale': 0 };
    for (const fields of [none, { logit_scale: 8 }])
      expect(read('granite', fields)).toMatchObject({
        embedding_multiplier: 1,
        residual_multiplier: 1,
        attention_multiplier: null,
      });
    expect(() => read('granite')).toThrow('lacks granite.logit_scale');
    expect(() => read('granite', { logit_scale: 0 })).toThrow(/logits_scaling/);
  });

  it('Granite may say for each block what is the same in all, as dense models of its fourth generation do', () => {
    const scales = { logit_scale: 8 };
    const kvHeads = (heads: number[]) => ({ ...scales, 'attention.head_count_kv': heads });
    expect(read('granite', kvHeads(Array<number>(8).fill(2))).num_key_value_heads).toBe(2);
    expect(() => read('granite', kvHeads([4, 4, 0, 4]))).toThrow(
      'granite.attention.head_count_kv differs from block to block',
    );
  });

  it('Granite rotates nothing where its switch is off', () => {
    const off = { logit_scale: 1, 'rope.scaling.finetuned': false };
    expect(new Set(read('granite', off).no_rope_layers)).toEqual(new Set([0]));
    const on = { logit_scale: 1, 'rope.scaling.finetuned': true };
    expect(read('granite', on).no_rope_layers).toBeUndefined();
  });

  it('Phi-3 has a window in every block, and 0 means none', () => {
    expect(read('phi3', { 'attention.sliding_window': 2047 }).sliding_window).toBe(2047);
    expect(read('phi3', { 'attention.sliding_window': 0 }).sliding_window).toBeNull();
  });

  it('has biases where the file has them and the family may', () => {
    const metadata = (architecture: string) =>
      metadataOf(
        new Map<string, GgufValue>([
          ['general.architecture', architecture],
          ...Object.entries(figures).map(([key, value]): [string, GgufValue] => [
            `${architecture}.${key}`,
            value,
          ]),
        ]),
        'some.gguf',
      );
    const withBiases = { ...facts, hasAttentionBias: true, hasFeedForwardBias: true };
    expect(ggufConfig(metadata('llama'), withBiases, 'x')).toMatchObject({
      attention_bias: true,
      mlp_bias: true,
    });
    expect(ggufConfig(metadata('qwen3'), withBiases, 'x').attention_bias).toBe(false);
    expect(ggufConfig(metadata('qwen2'), facts, 'x').attention_bias).toBe(true);
  });
});

describe('every family in GGUF', () => {
  const all = [
    'llama',
    'mistral',
    'qwen2',
    'qwen3',
    'phi3',
    'gemma',
    'gemma2',
    'gemma3',
    'smollm3',
    'olmo2',
    'granite',
  ];
  for (const architecture of all) {
    const fields = { logit_scale: 1 };
    it(`${architecture} is stretched by a factor without a type, and by the old key`, () => {
      const linear = (factor: number) => ({ rope_type: 'linear', factor });
      const scaling = (more: Record<string, GgufValue>) =>
        read(architecture, { ...fields, ...more }).rope_scaling;
      expect(scaling({ 'rope.scaling.factor': 4 })).toEqual(linear(4));
      expect(scaling({ 'rope.scale_linear': 2 })).toEqual(linear(2));
      expect(scaling({ 'rope.scaling.factor': 4, 'rope.scaling.type': 'none' })).toBeNull();
      expect(() => scaling({ 'rope.scaling.factor': 4, 'rope.scaling.type': 'yarn' })).toThrow(
        /"yarn"/,
      );
    });

    it(`${architecture} rotates part of a head only if it is Phi-3`, () => {
      const partial = () => read(architecture, { ...fields, 'rope.dimension_count': 48 });
      if (architecture === 'phi3') expect(partial().partial_rotary_factor).toBe(0.75);
      else expect(partial).toThrow('rotates 48 of the 64 dimensions of a head');
    });
  }
});

describe('tensor names', () => {
  it('follow the place of norms in each family', () => {
    const norms = (architecture: Parameters<typeof hubNameOf>[1]) =>
      ['attn_norm', 'post_attention_norm', 'ffn_norm', 'post_ffw_norm'].map((name) =>
        hubNameOf(`blk.0.${name}.weight`, architecture, false)?.replace('model.layers.0.', ''),
      );
    expect(norms('granite')).toEqual([
      'input_layernorm.weight',
      undefined,
      'post_attention_layernorm.weight',
      undefined,
    ]);
    expect(norms('olmo2')).toEqual([
      undefined,
      'post_attention_layernorm.weight',
      undefined,
      'post_feedforward_layernorm.weight',
    ]);
    expect(norms('gemma3')).toEqual([
      'input_layernorm.weight',
      'post_attention_layernorm.weight',
      'pre_feedforward_layernorm.weight',
      'post_feedforward_layernorm.weight',
    ]);
  });
});

describe('what is refused', () => {
  const refused: [string, string, Record<string, GgufValue>, Record<string, GgufValue>, RegExp][] =
    [
      [
        'a mixture of experts by its name',
        'qwen3moe',
        {},
        {},
        /a mixture of experts \("qwen3moe"\)/,
      ],
      ['one by its count', 'llama', { expert_count: 8 }, {}, /a mixture of experts \("llama"\)/],
      ['Granite with experts', 'granitemoe', {}, {}, /a mixture of experts \("granitemoe"\)/],
      [
        'Granite 4',
        'granitehybrid',
        {},
        {},
        /architecture "granitehybrid", which is not supported/,
      ],
      ['a part that sees', 'clip', {}, {}, /sees or hears \("clip"\).*other GGUF file/],
      ['an adapter', 'llama', {}, { 'general.type': 'adapter' }, /an adapter \(LoRA\)/],
      ['OLMo 3', 'olmo2', { 'attention.sliding_window': 4096 }, {}, /OLMo 3/],
      ['Gemma 3n', 'gemma3n', {}, {}, /architecture "gemma3n", which is not supported/],
      ['Mamba', 'mamba', {}, {}, /architecture "mamba", which is not supported/],
      ['a name that every object has', 'constructor', {}, {}, /architecture "constructor"/],
      [
        'values of another width',
        'llama',
        { 'attention.value_length': 32 },
        {},
        /values of 32 dimensions/,
      ],
      ['nothing', '', {}, {}, /architecture ""/],
    ];
  for (const [what, architecture, fields, more, message] of refused)
    it(`is ${what}, by name`, () => {
      expect(() => read(architecture, fields, more)).toThrow(message);
    });
});
