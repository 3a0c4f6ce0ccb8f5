import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { smollm2 } from '../fixtures/hub-configs.ts';
import { readGenerationConfig } from './generation-config.ts';
import { readHubConfig } from './hub-config.ts';

const llama3Scaling = {
  factor: 32,
  high_freq_factor: 4,
  low_freq_factor: 1,
  original_max_position_embeddings: 8192,
  rope_type: 'llama3',
};

/** Without undefined fields, as in a file. */
const asFile = (fields: object): unknown => JSON.parse(JSON.stringify(fields));

describe('readHubConfig', () => {
  it('fills in what a config leaves to be derived', () => {
    const { head_dim, num_key_value_heads, sliding_window, eos_token_id } = readHubConfig(smollm2);
    expect({ head_dim, num_key_value_heads, sliding_window, eos_token_id }).toEqual({
      head_dim: 64,
      num_key_value_heads: 5,
      sliding_window: null,
      eos_token_id: [2],
    });
    const older = { ...smollm2, num_key_value_heads: undefined };
    expect(readHubConfig(older).num_key_value_heads).toBe(15);
  });

  it('joins the stop tokens of both files', () => {
    const { eos } = readGenerationConfig({ eos_token_id: [2, 7], temperature: 0.7, top_k: 20 });
    expect(readHubConfig(smollm2, eos).eos_token_id).toEqual([2, 7]);
  });

  it('takes sampling defaults from generation_config.json, and nothing else of it', () => {
    const { sampling } = readGenerationConfig({ temperature: 0.7, top_p: 0.8, do_sample: true });
    expect(sampling).toEqual({ temperature: 0.7, top_p: 0.8 });
    expect(readGenerationConfig('nonsense')).toEqual({ eos: [], sampling: {} });
  });

  it('knows what each architecture takes for granted', () => {
    const qwen2 = {
      ...smollm2,
      model_type: 'qwen2',
      sliding_window: 131072,
      use_sliding_window: false,
    };
    expect(readHubConfig(qwen2)).toMatchObject({ attention_bias: true, sliding_window: null });
    const mistral = { ...smollm2, model_type: 'mistral', sliding_window: 4096 };
    expect(readHubConfig(mistral).sliding_window).toBe(4096);
    const wide = { ...smollm2, model_type: 'mistral', sliding_window: 8192 };
    expect(readHubConfig(wide).sliding_window).toBeNull();
  });

  it('reads rotary scaling in its older and its newer place', () => {
    expect(readHubConfig({ ...smollm2, rope_scaling: llama3Scaling }).rope_scaling).toEqual(
      llama3Scaling,
    );
    const newer = { ...smollm2, rope_theta: undefined };
    const read = readHubConfig({
      ...newer,
      rope_parameters: { ...llama3Scaling, rope_theta: 500000 },
    });
    expect(read).toMatchObject({ rope_theta: 500000, rope_scaling: llama3Scaling });
    const plain = { rope_type: 'default', rope_theta: 500000 };
    expect(readHubConfig({ ...newer, rope_parameters: plain }).rope_scaling).toBeNull();
    const linear = { type: 'linear', factor: 2 };
    expect(readHubConfig({ ...smollm2, rope_scaling: linear }).rope_scaling).toEqual({
      rope_type: 'linear',
      factor: 2,
    });
  });

  it('reads Gemma 3 as it states itself, and in the newer words for the same', () => {
    const shared = {
      ...smollm2,
      hidden_act: undefined,
      rope_theta: undefined,
      tie_word_embeddings: undefined,
      model_type: 'gemma3_text',
      head_dim: 256,
      num_hidden_layers: 26,
      max_position_embeddings: 32768,
      query_pre_attn_scalar: 256,
      sliding_window: 512,
      attn_logit_softcapping: null,
    };
    const older = {
      rope_theta: 1_000_000,
      rope_local_base_freq: 10_000,
      sliding_window_pattern: 6,
    };
    const read = readHubConfig(asFile({ ...shared, ...older }));
    expect(read).toMatchObject({
      model_type: 'gemma3',
      hidden_act: 'gelu_pytorch_tanh',
      tie_word_embeddings: true,
      norm_weight_offset: 1,
      sliding_window: 512,
      rope_theta: 1_000_000,
      rope_local_base_freq: 10_000,
      attn_logit_softcapping: null,
    });
    const everything = read.layer_types?.flatMap((type, block) =>
      type === 'full_attention' ? block : [],
    );
    expect(everything).toEqual([5, 11, 17, 23]);
    const newer = {
      layer_types: read.layer_types,
      rope_parameters: {
        full_attention: { rope_type: 'default', rope_theta: 1_000_000 },
        sliding_attention: { rope_type: 'default', rope_theta: 10_000 },
      },
    };
    expect(readHubConfig(asFile({ ...shared, ...newer }))).toEqual(read);
  });

  it('bounds what Gemma 2 bounds, though its file may leave it out', () => {
    const { layer_types: types, ...read } = readHubConfig({ ...smollm2, model_type: 'gemma2' });
    expect(types?.slice(0, 3)).toEqual([
      'sliding_attention',
      'full_attention',
      'sliding_attention',
    ]);
    expect(read).toMatchObject({ attn_logit_softcapping: 50, final_logit_softcapping: 30 });
  });

  it("derives how far Phi-3's angles are made larger", () => {
    const factors = Array<number>(32).fill(2);
    const rope_scaling = { type: 'su', short_factor: factors, long_factor: factors };
    const read = readHubConfig({
      ...smollm2,
      model_type: 'phi3',
      max_position_embeddings: 131072,
      original_max_position_embeddings: 4096,
      rope_scaling,
    });
    // As Phi-3-mini-128k does: √(1 + ln 32 / ln 4096).
    expect(read.rope_scaling).toMatchObject({
      rope_type: 'longrope',
      attention_factor: 1.1902380714238083,
    });
  });

  const refused: [string, Record<string, unknown>, RegExp][] = [
    [
      'an unknown architecture',
      { model_type: 'mamba' },
      /"mamba", an architecture that is not supported/,
    ],
    [
      'an unknown stretching',
      { rope_scaling: { rope_type: 'yarn', factor: 4 } },
      /"yarn", which is not supported/,
    ],
    ['feed-forward biases', { model_type: 'qwen3', mlp_bias: true }, /mlp_bias/],
    ['attention biases', { model_type: 'mistral', attention_bias: true }, /attention_bias/],
    ['a Gemma that sees pictures', { model_type: 'gemma3' }, /"gemma3", an architecture/],
    ['a stretching without its factors', { rope_scaling: { type: 'longrope' } }, /"longrope"/],
    ['partial rotary', { partial_rotary_factor: 0.5 }, /partial_rotary_factor/],
    ['its own quantisation', { quantization_config: { bits: 4 } }, /quantization_config/],
    ['heads that do not divide', { num_attention_heads: 7 }, /head_dim/],
    ['absurd figures', { vocab_size: 1e12 }, /vocab_size/],
    ['no figures', { hidden_size: undefined }, /hidden_size/],
  ];
  for (const [what, change, message] of refused)
    it(`refuses ${what}`, () => {
      expect(() => readHubConfig({ ...smollm2, ...change })).toThrow(message);
    });

  it('answers anything with a config that can be right, or a sentence', () => {
    const keys = fc.constantFrom(
      ...Object.keys(smollm2),
      'head_dim',
      'rope_parameters',
      'mlp_bias',
    );
    fc.assert(
      fc.property(keys, fc.jsonValue(), (key, value) => {
        try {
          const config = readHubConfig({ ...smollm2, [key]: value });
          expect(config.head_dim * config.num_attention_heads).toBeGreaterThan(0);
        } catch (error) {
          expect((error as Error).message).toMatch(/config\.json|this model|this llama model/);
        }
      }),
    );
  });
});
