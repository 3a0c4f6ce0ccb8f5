import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readGenerationConfig, readHubConfig } from './hub-config.ts';

/** As `SmolLM2-360M-Instruct` states itself. */
const smollm2 = {
  architectures: ['LlamaForCausalLM'],
  attention_bias: false,
  bos_token_id: 1,
  eos_token_id: 2,
  hidden_act: 'silu',
  hidden_size: 960,
  intermediate_size: 2560,
  max_position_embeddings: 8192,
  model_type: 'llama',
  num_attention_heads: 15,
  num_hidden_layers: 32,
  num_key_value_heads: 5,
  rms_norm_eps: 1e-5,
  rope_scaling: null,
  rope_theta: 100000,
  tie_word_embeddings: true,
  torch_dtype: 'bfloat16',
  vocab_size: 49152,
};

const llama3Scaling = {
  factor: 32,
  high_freq_factor: 4,
  low_freq_factor: 1,
  original_max_position_embeddings: 8192,
  rope_type: 'llama3',
};

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

  const refused: [string, Record<string, unknown>, RegExp][] = [
    [
      'an unknown architecture',
      { model_type: 'mamba' },
      /"mamba", an architecture that is not supported/,
    ],
    [
      'an unknown stretching',
      { rope_scaling: { rope_type: 'yarn', factor: 4 } },
      /"yarn", not supported/,
    ],
    ['feed-forward biases', { mlp_bias: true }, /mlp_bias/],
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
