import { describe, expect, it } from 'vitest';
import { smollm2 } from '../fixtures/hub-configs.ts';
import {
  tinySafetensors,
  writeSafetensors,
  type SafetensorsEntry,
} from '../fixtures/safetensors-writer.ts';
import { tinyGgufConfig } from '../fixtures/tiny-gguf.ts';
import { memorySource } from '../sources/byte-source.ts';
import { jsonSource } from '../sources/json-source.ts';
import { readHubConfig } from './hub-config.ts';
import { openHubModel } from './hub-model.ts';

const instead = /take the original model from which they were made, or a GGUF file of it/;

describe('a config of quantised weights', () => {
  const makers: [string, Record<string, unknown>][] = [
    [
      'AWQ',
      { quantization_config: { quant_method: 'awq', bits: 4, group_size: 128, zero_point: true } },
    ],
    ['AWQ', { quantization_config: { w_bit: 4, q_group_size: 128, version: 'GEMM' } }],
    ['GPTQ', { quantization_config: { quant_method: 'gptq', bits: 4, desc_act: false } }],
    ['GPTQ', { quantization_config: { bits: 4, group_size: 128, desc_act: true } }],
    ['FP8', { quantization_config: { quant_method: 'fp8', activation_scheme: 'dynamic' } }],
    ['bitsandbytes', { quantization_config: { quant_method: 'bitsandbytes', load_in_4bit: true } }],
    ['bitsandbytes', { quantization_config: { load_in_8bit: true } }],
    ['compressed-tensors', { quantization_config: { quant_method: 'compressed-tensors' } }],
    ['compressed-tensors', { compression_config: { format: 'pack-quantized' } }],
    ['HQQ', { quantization_config: { quant_method: 'hqq' } }],
    ['EXL2', { quantization_config: { quant_method: 'exl2', bits: 4.25 } }],
    ['EXL3', { quantization_config: { quant_method: 'exl3' } }],
    ['MXFP4', { quantization_config: { quant_method: 'mxfp4' } }],
    [
      'MLX',
      {
        quantization: { group_size: 64, bits: 4 },
        quantization_config: { group_size: 64, bits: 4 },
      },
    ],
    ['MLX', { quantization: { group_size: 64, bits: 4 } }],
    ['AutoRound', { quantization_config: { quant_method: 'intel/auto-round' } }],
    ['tomorrow', { quantization_config: { quant_method: 'tomorrow' } }],
  ];
  for (const [maker, fields] of makers)
    it(`names ${maker}: ${JSON.stringify(fields)}`, () => {
      const read = () => readHubConfig({ ...smollm2, ...fields });
      expect(read).toThrow(`weights are quantised by ${maker} (`);
      expect(read).toThrow(instead);
    });

  it('of a model that also sees is found at its top', () => {
    const text_config = { ...smollm2, model_type: 'gemma3_text', hidden_act: undefined };
    const fields = {
      model_type: 'gemma3',
      text_config,
      quantization_config: { quant_method: 'awq' },
    };
    expect(() => readHubConfig(fields)).toThrow(/quantised by AWQ/);
  });

  it('that says nothing is none', () => {
    for (const settings of [null, {}, { quant_method: null }])
      expect(() =>
        readHubConfig({ ...smollm2, quantization_config: settings, quantization: settings }),
      ).not.toThrow();
  });
});

describe('tensors of quantised weights', () => {
  const query = 'model.layers.0.self_attn.q_proj';
  const bytes = (dtype: string, shape: number[]): SafetensorsEntry => ({
    dtype,
    shape,
    data: new Uint8Array(
      shape.reduce((product, size) => product * size, 1) *
        (dtype.includes('32') ? 4 : dtype.includes('16') ? 2 : 1),
    ),
  });

  function open(extra: Record<string, SafetensorsEntry>): Promise<unknown> {
    const tensors = new Map([...tinySafetensors(tinyGgufConfig), ...Object.entries(extra)]);
    const files = new Map([
      ['config.json', jsonSource({ ...tinyGgufConfig, rope_scaling: null })],
      ['model.safetensors', memorySource(writeSafetensors(tensors))],
    ]);
    const tree = { open: (path: string) => Promise.resolve(files.get(path) ?? null) };
    return openHubModel(tree, { name: 'tiny', title: 'Tiny', licence: 'none' });
  }

  const makers: [string, Record<string, SafetensorsEntry>][] = [
    [
      'AWQ or GPTQ',
      {
        [`${query}.qweight`]: bytes('I32', [4]),
        [`${query}.qzeros`]: bytes('I32', [1]),
        [`${query}.scales`]: bytes('F16', [4]),
      },
    ],
    ['GPTQ', { [`${query}.qweight`]: bytes('I32', [4]), [`${query}.g_idx`]: bytes('I32', [4]) }],
    [
      'MLX',
      {
        [`${query}.weight`]: bytes('U32', [32, 4]),
        [`${query}.scales`]: bytes('F16', [4]),
        [`${query}.biases`]: bytes('F16', [4]),
      },
    ],
    ['FP8', { [`${query}.weight`]: bytes('F8_E4M3', [32, 32]) }],
    ['FP8', { [`${query}.weight`]: bytes('F8_E5M2', [32, 32]) }],
    [
      'NVFP4',
      {
        [`${query}.weight`]: bytes('U8', [32, 16]),
        [`${query}.weight_scale`]: bytes('F8_E4M3', [32, 2]),
        [`${query}.weight_scale_2`]: bytes('F32', [1]),
      },
    ],
    [
      'bitsandbytes',
      {
        [`${query}.weight`]: bytes('U8', [16, 32]),
        [`${query}.weight.absmax`]: bytes('U8', [4]),
        [`${query}.weight.quant_map`]: bytes('F32', [16]),
      },
    ],
    [
      'bitsandbytes',
      { [`${query}.weight`]: bytes('I8', [32, 32]), [`${query}.SCB`]: bytes('F32', [32]) },
    ],
    [
      'compressed-tensors',
      {
        [`${query}.weight_packed`]: bytes('I32', [4]),
        [`${query}.weight_scale`]: bytes('F16', [4]),
      },
    ],
    ['HQQ', { [`${query}.W_q`]: bytes('U8', [4]) }],
    [
      'EXL2',
      { [`${query}.q_weight`]: bytes('I32', [4]), [`${query}.q_invperm`]: bytes('I32', [4]) },
    ],
    ['EXL3', { [`${query}.trellis`]: bytes('I16', [4]) }],
    ['AQLM', { [`${query}.codebooks`]: bytes('F16', [4]) }],
    ['MXFP4', { [`${query}_blocks`]: bytes('U8', [4]), [`${query}_scales`]: bytes('U8', [4]) }],
  ];
  for (const [maker, extra] of makers)
    it(`names ${maker} by ${Object.keys(extra).join(', ')}, though the config is silent`, async () => {
      await expect(open(extra)).rejects.toThrow(`weights are quantised by ${maker} (`);
      await expect(open(extra)).rejects.toThrow(instead);
    });

  it('are known by their scales', async () => {
    const scaled = {
      [`${query}.weight`]: bytes('I8', [32, 32]),
      [`${query}.weight_scale`]: bytes('F32', [32, 1]),
    };
    await expect(open(scaled)).rejects.toThrow('quantised in a format of their own (');
  });

  it('are named by their type where nobody is known to make them', async () => {
    await expect(open({ [`${query}.weight`]: bytes('I8', [32, 32]) })).rejects.toThrow(
      `the checkpoint stores ${query}.weight as I8, which cannot be read here`,
    );
  });

  it('are not meant by a table of positions', async () => {
    await open({
      'model.position_ids': bytes('I64', [1]),
      'model.layers.0.self_attn.masked_bias': bytes('F32', []),
    });
  });
});
