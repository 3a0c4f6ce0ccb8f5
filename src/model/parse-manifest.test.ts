import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tinyConfig, tinyManifest } from './fixtures/tiny-manifest.ts';
import type { Manifest } from './manifest.ts';
import { parseManifest, parseManifestText } from './parse-manifest.ts';

/** A valid manifest with one thing changed. */
function changed(change: (manifest: Manifest) => void): Manifest {
  const manifest = structuredClone(tinyManifest());
  change(manifest);
  return manifest;
}

describe('parseManifest', () => {
  it('takes a valid manifest as it is', () => {
    expect(parseManifest(tinyManifest())).toEqual(tinyManifest());
  });

  const wrong: [string, (manifest: Manifest) => void, RegExp][] = [
    [
      'a tensor outside its file',
      (m) => (m.layers[1].tensors[0].offset = 1e6),
      /input_layernorm.*reaches to byte/,
    ],
    [
      'a wrong size',
      (m) => (m.layers[0].tensors[0].bytes -= 4),
      /claims 1020 bytes, but F32 \[32, 8\] takes 1024/,
    ],
    [
      'a wrong shape',
      (m) => (m.layers[0].tensors[0].shape = [8, 32]),
      /should have the shape \[32, 8\]/,
    ],
    [
      'a file that is not there',
      (m) => (m.layers[2].tensors[1].file = 3),
      /file 3, and there are 1 files/,
    ],
    [
      'a missing tensor',
      (m) => m.layers[2].tensors.pop(),
      /layer\.1.*lacks the tensor model\.layers\.1\.mlp\.down/,
    ],
    ['a missing layer', (m) => m.layers.splice(1, 1), /3 layers, but 2 blocks/],
    [
      'layers out of order',
      (m) => m.layers.reverse(),
      /layer 0.*must be of kind "embed", not "head"/,
    ],
    [
      'a wrong number of pieces',
      (m) => m.files[0].pieceSha256?.push('c'.repeat(64)),
      /2 piece hashes.*make 1 pieces/,
    ],
    [
      'an unknown architecture',
      (m) => (m.config.model_type = 'mamba'),
      /"mamba", an architecture that is not supported; these are: llama/,
    ],
    [
      'a tokenizer that is not there',
      (m) => (m.tokenizer = 'tokenizer.json'),
      /not among its files/,
    ],
    ['a way out of the folder', (m) => (m.files[0].path = 'a/../../b'), /files\.0\.path/],
    ['an absolute path', (m) => (m.files[0].path = '/etc/passwd'), /files\.0\.path/],
    ['an absurd size', (m) => (m.config.vocab_size = 2 ** 40), /config\.vocab_size/],
    ['a billion blocks', (m) => (m.config.num_hidden_layers = 1e9), /config\.num_hidden_layers/],
    [
      'a list of rotating blocks that is too short',
      (m) => (m.config.no_rope_layers = [1]),
      /no_rope_layers for 1 blocks, and 2 blocks/,
    ],
    [
      'kinds of attention for more blocks than there are',
      (m) => (m.config.layer_types = ['full_attention', 'full_attention', 'full_attention']),
      /layer_types for 3 blocks, and 2 blocks/,
    ],
    [
      'heads that do not divide',
      (m) => (m.config.num_key_value_heads = 3),
      /not a multiple of its 3/,
    ],
    [
      'golden states that are not there',
      (m) => (m.golden = { path: 'golden.bin', inputs: [[1]] }),
      /names "golden\.bin", which is not among its files/,
    ],
    [
      'golden states of another size',
      (m) => (m.golden = { path: 'model.bin', inputs: [[1]] }),
      /"model\.bin" should take 128 bytes for its inputs/,
    ],
    [
      'golden inputs with unknown ids',
      (m) => (m.golden = { path: 'model.bin', inputs: [[32]] }),
      /ids it does not know/,
    ],
    [
      'blocks that do not fit',
      (m) => (m.layers[0].tensors[0].dtype = 'Q8_0'),
      /multiple of 32, not 8/,
    ],
  ];
  for (const [what, change, message] of wrong)
    it(`refuses ${what}`, () => {
      expect(() => parseManifest(changed(change))).toThrow(message);
    });

  it('expects what an architecture has beside the plain projections', () => {
    const qwen2 = tinyManifest({ ...tinyConfig, model_type: 'qwen2', attention_bias: true });
    expect(parseManifest(qwen2).layers[1].tensors.map(({ name }) => name)).toContain(
      'model.layers.0.self_attn.k_proj.bias',
    );
    const qwen3 = tinyManifest({ ...tinyConfig, model_type: 'qwen3' });
    qwen3.layers[1].tensors = qwen3.layers[1].tensors.filter(
      ({ name }) => !name.includes('q_norm'),
    );
    expect(() => parseManifest(qwen3)).toThrow(/lacks the tensor .*q_norm/);
    const olmo2 = tinyManifest({ ...tinyConfig, model_type: 'olmo2' });
    const [, block] = parseManifest(olmo2).layers;
    const {
      num_attention_heads: heads,
      num_key_value_heads: kvHeads,
      head_dim: width,
    } = tinyConfig;
    const norms = block.tensors.filter(({ name }) => /norm/.test(name));
    expect(norms.map(({ name, shape }) => [name.replace('model.layers.0.', ''), shape])).toEqual([
      ['self_attn.q_norm.weight', [heads * width]],
      ['self_attn.k_norm.weight', [kvHeads * width]],
      ['post_attention_layernorm.weight', [tinyConfig.hidden_size]],
      ['post_feedforward_layernorm.weight', [tinyConfig.hidden_size]],
    ]);
  });

  it('tells a manifest that was cut short', () => {
    const text = JSON.stringify(tinyManifest());
    expect(parseManifestText(text).name).toBe('tiny');
    expect(() => parseManifestText(text.slice(0, 700))).toThrow(/not complete JSON/);
  });

  it('never takes a manifest with a piece cut out, nor fails without a sentence', () => {
    const text = JSON.stringify(tinyManifest());
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.nat(200), (start, length) => {
        const torn = text.slice(0, start) + text.slice(start + length + 1);
        try {
          const parsed = parseManifestText(torn);
          // What still parses must still describe a whole model.
          expect(parsed.layers.length).toBe(parsed.config.num_hidden_layers + 2);
        } catch (error) {
          expect((error as Error).message).toMatch(
            /manifest|layer|tensor|takes|claims|model|shape/,
          );
        }
      }),
    );
  });
});
