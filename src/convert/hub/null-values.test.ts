import { describe, expect, it } from 'vitest';
import { layerTensors } from '../../model/architecture.ts';
import type { ModelConfig } from '../../model/config.ts';
import { tinySafetensors, writeSafetensors } from '../fixtures/safetensors-writer.ts';
import { memorySource } from '../sources/byte-source.ts';
import { jsonSource } from '../sources/json-source.ts';
import { readHubConfig } from './hub-config.ts';
import { openHubModel } from './hub-model.ts';

const config = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 16,
  intermediate_size: 32,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 8,
  vocab_size: 262,
  max_position_embeddings: 64,
  rms_norm_eps: 0.00001,
  rope_theta: 10000,
  tie_word_embeddings: true,
  hidden_act: 'silu',
  bos_token_id: 256,
  eos_token_id: 257,
  torch_dtype: 'float16',
};

const label = { name: 'tiny', title: 'Tiny', licence: 'none' };

async function opened(fields: object, isTied = true): Promise<ModelConfig> {
  const weights = tinySafetensors({ ...readHubConfig(config), tie_word_embeddings: isTied });
  const files = new Map([
    ['config.json', jsonSource({ ...config, ...fields })],
    ['model.safetensors', memorySource(writeSafetensors(weights))],
  ]);
  const tree = { open: (path: string) => Promise.resolve(files.get(path) ?? null) };
  return (await openHubModel(tree, label)).manifest.config;
}

describe('null in config.json', () => {
  const asIfAbsent = [
    'head_dim',
    'rope_scaling',
    'rope_parameters',
    'rope_theta',
    'sliding_window',
    'use_sliding_window',
    'attention_bias',
    'mlp_bias',
    'partial_rotary_factor',
    'hidden_act',
    'hidden_activation',
    'layer_types',
    'quantization_config',
    'quantization',
    'compression_config',
    'bos_token_id',
    'eos_token_id',
    'original_max_position_embeddings',
    'sliding_window_pattern',
    'pad_token_id',
    'no_rope_layers',
    'rope_local_base_freq',
    'use_bidirectional_attention',
    'text_config',
    'num_local_experts',
  ];
  for (const field of asIfAbsent)
    it(`counts as left out at ${field}`, async () => {
      const without = Object.fromEntries(Object.entries(config).filter(([name]) => name !== field));
      expect(await opened({ [field]: null })).toEqual(readHubConfig(without));
      expect(await opened({ [field]: null })).toMatchObject({ head_dim: 8, rope_theta: 10_000 });
    });

  it('counts as false at tie_word_embeddings', async () => {
    const read = await opened({ tie_word_embeddings: null }, false);
    expect(read.tie_word_embeddings).toBe(false);
    expect(
      layerTensors(read)
        .at(-1)
        ?.tensors.map(({ name }) => name),
    ).toContain('lm_head.weight');
  });

  it('counts as left out inside rotary settings', () => {
    const nulls = {
      rope_type: null,
      type: null,
      factor: null,
      rope_theta: null,
      attention_factor: null,
    };
    for (const field of ['rope_scaling', 'rope_parameters'])
      for (const settings of [nulls, { full_attention: nulls }, { full_attention: null }, {}])
        expect(readHubConfig({ ...config, [field]: settings })).toMatchObject({
          rope_theta: 10_000,
          rope_scaling: null,
        });
    const linear = {
      type: 'linear',
      rope_type: null,
      factor: 2,
      original_max_position_embeddings: null,
    };
    expect(readHubConfig({ ...config, rope_scaling: linear }).rope_scaling).toEqual({
      rope_type: 'linear',
      factor: 2,
    });
    expect(() =>
      readHubConfig({ ...config, rope_scaling: { type: 'linear', factor: null } }),
    ).toThrow(/"linear", which is not supported in this form/);
  });

  const families: [string, Partial<ModelConfig>][] = [
    ['llama', { max_position_embeddings: 2048, rms_norm_eps: 1e-6 }],
    ['mistral', { max_position_embeddings: 131_072 }],
    ['qwen2', { max_position_embeddings: 32_768, attention_bias: true }],
    ['qwen3', { head_dim: 128 }],
    ['phi3', { max_position_embeddings: 4096, rms_norm_eps: 1e-5 }],
    ['gemma', { head_dim: 256, hidden_act: 'gelu_pytorch_tanh', norm_weight_offset: 1 }],
    ['gemma2', { query_pre_attn_scalar: 256, max_position_embeddings: 8192 }],
    ['gemma3_text', { rope_theta: 1_000_000, rope_local_base_freq: 10_000 }],
    ['smollm3', { rope_theta: 2_000_000, no_rope_layers: [1] }],
    ['olmo2', { rms_norm_eps: 1e-5, max_position_embeddings: 2048 }],
    [
      'granite',
      {
        attention_multiplier: 1,
        residual_multiplier: 1,
        logits_scaling: 1,
        embedding_multiplier: 1,
      },
    ],
  ];
  for (const [type, expected] of families)
    it(`gives each field of a ${type} its default`, () => {
      const nulls = Object.fromEntries(
        [
          'max_position_embeddings',
          'rms_norm_eps',
          'rope_theta',
          'head_dim',
          'hidden_act',
          'hidden_activation',
          'num_key_value_heads',
          'query_pre_attn_scalar',
          'rope_local_base_freq',
          'no_rope_layers',
          'no_rope_layer_interval',
          'embedding_multiplier',
          'residual_multiplier',
          'attention_multiplier',
          'logits_scaling',
        ].map((name) => [name, null]),
      );
      const read = readHubConfig({ ...config, ...nulls, model_type: type });
      expect(read).toMatchObject({ num_key_value_heads: 2, ...expected });
    });

  it('means no window and no bound where families have one', () => {
    const gemma2 = {
      ...config,
      model_type: 'gemma2',
      hidden_act: null,
      max_position_embeddings: 8192,
    };
    const none = {
      sliding_window: null,
      attn_logit_softcapping: null,
      final_logit_softcapping: null,
    };
    expect(readHubConfig(gemma2)).toMatchObject({
      sliding_window: 4096,
      attn_logit_softcapping: 50,
      final_logit_softcapping: 30,
    });
    expect(readHubConfig({ ...gemma2, ...none })).toMatchObject(none);
    const mistral = { ...config, model_type: 'mistral', max_position_embeddings: 8192 };
    expect(readHubConfig(mistral).sliding_window).toBe(4096);
    expect(readHubConfig({ ...mistral, sliding_window: null }).sliding_window).toBeNull();
  });

  it('still refuses quantised weights', () => {
    const settings = { quant_method: null, bits: 4 };
    expect(() => readHubConfig({ ...config, quantization_config: settings })).toThrow(/quantised/);
    const empty = { quant_method: null };
    expect(() => readHubConfig({ ...config, quantization_config: empty })).not.toThrow();
  });
});
