import { describe, expect, it } from 'vitest';
import { randomCheckpoint, tinyConfigs } from '../../model/fixtures/random-checkpoint.ts';
import type { Checkpoint } from '../checkpoint.ts';
import { writeSafetensors, type SafetensorsEntry } from '../fixtures/safetensors-writer.ts';
import { memorySource } from '../sources/byte-source.ts';
import { jsonSource } from '../sources/json-source.ts';
import { readHubConfig } from './hub-config.ts';
import { openHubModel } from './hub-model.ts';

const text = tinyConfigs['gemma 3'];
const { tensors } = randomCheckpoint(text);

const vision: [string, SafetensorsEntry][] = [
  'vision_tower.vision_model.encoder.layers.0.mlp.fc1.weight',
  'multi_modal_projector.mm_soft_emb_norm.weight',
].map((name) => [name, { dtype: 'F32', shape: [1], data: new Uint8Array(4) }]);

function open(config: object, rename: (name: string) => string): Promise<Checkpoint> {
  const entries = [...tensors].map(([name, { shape, values }]): [string, SafetensorsEntry] => [
    rename(name),
    { dtype: 'F32', shape, data: new Uint8Array(values.buffer) },
  ]);
  const files = new Map([
    ['config.json', jsonSource(config)],
    ['model.safetensors', memorySource(writeSafetensors(new Map([...vision, ...entries])))],
  ]);
  const tree = { open: (path: string) => Promise.resolve(files.get(path) ?? null) };
  return openHubModel(tree, { name: 'tiny', title: 'Tiny', licence: 'none' });
}

const wrapper = {
  model_type: 'gemma3',
  text_config: text,
  vision_config: {},
  eos_token_id: [1, 106],
};

describe('a model that sees pictures', () => {
  const forms: [string, (name: string) => string][] = [
    ['language_model.model.', (name) => `language_model.${name}`],
    ['model.language_model.', (name) => name.replace(/^model\./, 'model.language_model.')],
  ];
  for (const [prefix, rename] of forms)
    it(`opens as its text part, whose tensors begin with ${prefix}`, async () => {
      const { manifest, sources } = await open(wrapper, rename);
      expect(manifest.config).toEqual({ ...readHubConfig(text), eos_token_id: [1, 106] });
      for (const tensor of manifest.layers.flatMap((layer) => layer.tensors)) {
        const bytes = await sources[tensor.file].read(tensor.offset, tensor.bytes);
        const values = tensors.get(tensor.name)?.values;
        expect(new Float32Array(bytes.buffer)).toEqual(values);
      }
    });

  it('is refused by the tensor that is missing where the text part has another prefix', async () => {
    await expect(open(wrapper, (name) => `elsewhere.${name}`)).rejects.toThrow(
      /lacks the tensor model\.embed_tokens\.weight/,
    );
  });
});

describe('the config of a text part', () => {
  it('has the sizes of its class where it is brief, as Gemma 3 4B’s', () => {
    const text_config = {
      hidden_size: 2560,
      intermediate_size: 10240,
      model_type: 'gemma3_text',
      num_hidden_layers: 34,
      rope_scaling: { factor: 8, rope_type: 'linear' },
      sliding_window: 1024,
    };
    const read = readHubConfig({ model_type: 'gemma3', text_config, eos_token_id: [1, 106] });
    expect(read).toMatchObject({
      model_type: 'gemma3',
      vocab_size: 262_208,
      num_attention_heads: 8,
      num_key_value_heads: 4,
      head_dim: 256,
      max_position_embeddings: 131_072,
      sliding_window: 1024,
      rope_theta: 1_000_000,
      rope_scaling: { rope_type: 'linear', factor: 8 },
      tie_word_embeddings: true,
      eos_token_id: [1, 106],
    });
    expect(read.layer_types?.filter((type) => type === 'full_attention')).toHaveLength(5);
  });

  it('is Llama’s in LLaVA, and Mistral’s in Mistral 3', () => {
    const brief = {
      max_position_embeddings: 4096,
      model_type: 'llama',
      rms_norm_eps: 1e-5,
      vocab_size: 32_064,
    };
    const llava = readHubConfig({
      model_type: 'llava',
      text_config: brief,
      tie_word_embeddings: false,
    });
    expect(llava).toMatchObject({
      model_type: 'llama',
      hidden_size: 4096,
      num_hidden_layers: 32,
      vocab_size: 32_064,
    });
    const mistral = readHubConfig({
      model_type: 'mistral3',
      text_config: { sliding_window: null },
    });
    expect(mistral).toMatchObject({
      model_type: 'mistral',
      num_key_value_heads: 8,
      sliding_window: null,
    });
  });

  it('has as many key-value heads as heads where its class says so', () => {
    const text_config = { model_type: 'llama', num_attention_heads: 16 };
    expect(readHubConfig({ model_type: 'llava', text_config }).num_key_value_heads).toBe(16);
  });

  const refused: [string, Record<string, unknown>, RegExp][] = [
    ['no text part', { model_type: 'llava' }, /"llava", an architecture around a language model/],
    [
      'a text part of another family',
      { model_type: 'mistral3', text_config: { model_type: 'ministral3' } },
      /"ministral3", an architecture that is not supported/,
    ],
    [
      'one that rotates pictures too',
      { model_type: 'qwen2_vl', text_config: { model_type: 'qwen2_vl_text' } },
      /"qwen2_vl", which sees or hears around a "qwen2_vl_text"/,
    ],
    ['experts', { model_type: 'mixtral', num_local_experts: 8 }, /"mixtral", a mixture of experts/],
    ['experts by its name', { model_type: 'qwen3_moe' }, /"qwen3_moe", a mixture of experts/],
    [
      'experts in a dense family',
      { model_type: 'llama', num_local_experts: 4 },
      /"llama", a mixture of experts/,
    ],
    [
      'an encoder',
      { model_type: 't5', is_encoder_decoder: true },
      /"t5", an encoder with a decoder/,
    ],
    ['OLMo 3', { model_type: 'olmo3' }, /"olmo3", an architecture that is not supported/],
    ['Granite 4', { model_type: 'granitemoehybrid', num_local_experts: 0 }, /"granitemoehybrid"/],
    [
      'a name that every object has',
      { model_type: 'constructor' },
      /"constructor", an architecture/,
    ],
  ];
  for (const [what, fields, message] of refused)
    it(`is refused by name: ${what}`, () => {
      expect(() => readHubConfig(fields)).toThrow(message);
    });
});
