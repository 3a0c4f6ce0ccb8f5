import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memorySource } from '../sources/byte-source.ts';
import type { Checkpoint } from '../checkpoint.ts';
import {
  tinyLlama2c,
  tinyLlama2cTokenizer,
  tinyPieces,
  tinyShape,
} from '../fixtures/tiny-llama2c.ts';
import { openLlama2c } from './llama2c.ts';

const label = { name: 'tiny', title: 'Tiny', licence: 'MIT' };

function open(file: Uint8Array): Promise<Checkpoint> {
  const tokenizer = memorySource(tinyLlama2cTokenizer(tinyPieces));
  return openLlama2c(memorySource(file), tokenizer, label);
}

async function firstNumber(checkpoint: Checkpoint, name: string): Promise<number> {
  const tensor = checkpoint.manifest.layers
    .flatMap(({ tensors }) => tensors)
    .find((candidate) => candidate.name === name);
  if (!tensor) throw new Error(`there is no ${name}`);
  const bytes = await checkpoint.sources[tensor.file].read(tensor.offset, 4);
  return new DataView(bytes.buffer).getFloat32(0, true);
}

describe('openLlama2c', () => {
  it('describes the model by its header', async () => {
    const { manifest } = await open(tinyLlama2c());
    expect(manifest.config).toMatchObject({
      model_type: 'llama',
      hidden_size: 32,
      intermediate_size: 64,
      num_hidden_layers: 2,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      head_dim: 8,
      vocab_size: 264,
      max_position_embeddings: 16,
      tie_word_embeddings: true,
    });
    expect(manifest.layers.map(({ name }) => name)).toEqual([
      'embed',
      'layer.0',
      'layer.1',
      'head',
    ]);
  });

  it('finds every kind of weight where llama2.c wrote it', async () => {
    const checkpoint = await open(tinyLlama2c());
    const bytes = tinyLlama2c();
    const count = (bytes.byteLength - 28) / 4;
    // Indices counted by hand from export.py: embedding 264·32, then kind by kind, two blocks each.
    const expected: [string, number][] = [
      ['model.embed_tokens.weight', 0],
      ['model.layers.0.input_layernorm.weight', 8448],
      ['model.layers.1.input_layernorm.weight', 8480],
      ['model.layers.0.self_attn.q_proj.weight', 8512],
      ['model.layers.1.self_attn.q_proj.weight', 9536],
      ['model.layers.0.self_attn.k_proj.weight', 10560],
      ['model.layers.0.self_attn.v_proj.weight', 11584],
      ['model.layers.0.self_attn.o_proj.weight', 12608],
      ['model.layers.0.post_attention_layernorm.weight', 14656],
      ['model.layers.0.mlp.gate_proj.weight', 14720],
      ['model.layers.0.mlp.down_proj.weight', 18816],
      ['model.layers.0.mlp.up_proj.weight', 22912],
      ['model.norm.weight', 27008],
    ];
    for (const [name, index] of expected)
      expect((await firstNumber(checkpoint, name)) * count).toBeCloseTo(index + 1, 1);
  });

  it('finds a head of its own after the rotary tables, and marks rotary rows', async () => {
    const file = tinyLlama2c({ ...tinyShape, tied: false });
    const checkpoint = await open(file);
    const count = (file.byteLength - 28) / 4;
    expect((await firstNumber(checkpoint, 'lm_head.weight')) * count).toBeCloseTo(27169, 1);
    const marked = checkpoint.manifest.layers[1].tensors.filter(
      (tensor) => tensor.interleavedRotary,
    );
    expect(marked.map(({ name }) => name.split('.').at(-2))).toEqual(['q_proj', 'k_proj']);
  });

  it('refuses what is too short, too long, or something else', async () => {
    const file = tinyLlama2c();
    await expect(open(file.subarray(0, 10))).rejects.toThrow(/28 bytes of header/);
    await expect(open(file.subarray(0, file.length - 4))).rejects.toThrow(/cut short/);
    await expect(open(new Uint8Array(file.length + 4).fill(0))).rejects.toThrow(/0 for dim/);
    const later = Uint8Array.from(file);
    new DataView(later.buffer).setUint32(0, 0x616b3432, true);
    await expect(open(later)).rejects.toThrow(/version 1 or later/);
  });

  it('answers any header with a model that fits the file or with a sentence', async () => {
    const file = tinyLlama2c();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer(), { minLength: 7, maxLength: 7 }), async (header) => {
        const broken = Uint8Array.from(file);
        new Int32Array(broken.buffer, 0, 7).set(header);
        await expect(open(broken)).rejects.toThrow(/llama2\.c checkpoint/);
      }),
    );
  });
});
