/**
 * Recognises weights that other programs quantised, which cannot be read here, by what `config.json` says and,
 * where it is silent, by the names and types of tensors.
 */
import { isRecord } from '../../base/is-record.ts';
import type { Fields } from './without-nulls.ts';

/** Names of `quant_method` as their makers write them. */
const methods: Partial<Record<string, string>> = {
  awq: 'AWQ',
  gptq: 'GPTQ',
  gptq_marlin: 'GPTQ',
  fp8: 'FP8',
  fbgemm_fp8: 'FP8 (FBGEMM)',
  bitsandbytes: 'bitsandbytes',
  hqq: 'HQQ',
  exl2: 'EXL2',
  exl3: 'EXL3',
  aqlm: 'AQLM',
  mxfp4: 'MXFP4',
  modelopt: 'ModelOpt',
  quark: 'Quark',
  bitnet: 'BitNet',
  'auto-round': 'AutoRound',
  'intel/auto-round': 'AutoRound',
};

/** Fields of `config.json` that describe quantised weights. */
export const quantisationFields = ['quantization_config', 'compression_config', 'quantization'];

/** @throws Error that names the maker if `config.json` says that the weights are quantised */
export function refuseQuantisedConfig(fields: Fields): void {
  for (const field of quantisationFields) {
    const settings = fields[field];
    const says = isRecord(settings) ? Object.keys(settings).length > 0 : Boolean(settings);
    if (says) throw new Error(refusal(makerOf(field, settings), field));
  }
}

function makerOf(field: string, settings: unknown): string | null {
  if (!isRecord(settings)) return null;
  const { quant_method: method } = settings;
  if (typeof method === 'string' && method !== '')
    return Object.hasOwn(methods, method) ? (methods[method] ?? method) : method;
  if (field === 'compression_config') return 'compressed-tensors';
  const says = (...names: string[]): boolean => names.some((name) => name in settings);
  if (says('load_in_4bit', 'load_in_8bit')) return 'bitsandbytes';
  if (says('zero_point', 'w_bit', 'q_group_size')) return 'AWQ';
  if (says('desc_act', 'damp_percent')) return 'GPTQ';
  if (says('weight_quant_params')) return 'HQQ';
  if (says('config_groups')) return 'compressed-tensors';
  if (says('group_size') && says('bits')) return 'MLX';
  return null;
}

export interface NamedTensor {
  name: string;
  dtype: string;
}

/** @throws Error that names the maker whose tensors these are */
export function refuseQuantisedTensors(tensors: readonly NamedTensor[]): void {
  const any = (pattern: RegExp): NamedTensor | undefined =>
    tensors.find(({ name }) => pattern.test(name));
  const found: [maker: string | null, tensor: NamedTensor | undefined][] = [
    ['bitsandbytes', any(/\.(SCB|absmax|quant_map|quant_state\.bitsandbytes\S*)$/)],
    ['compressed-tensors', any(/\.weight_packed$/)],
    [any(/\.g_idx$/) ? 'GPTQ' : 'AWQ or GPTQ', any(/\.qweight$/)],
    ['HQQ', any(/\.W_q$/)],
    ['EXL2', any(/\.(q_invperm|q_scale_max)$/)],
    ['EXL3', any(/\.trellis$/)],
    ['AQLM', any(/\.codebooks$/)],
    ['MXFP4', any(/_blocks$/) && any(/_scales$/)],
    ['MLX', any(/\.biases$/) && any(/\.scales$/)],
    ['NVFP4', any(/\.weight_scale_2$/)],
    ['FP8', tensors.find(({ dtype }) => dtype.startsWith('F8_'))],
    [null, any(/\.weight_scale(_inv)?$/)],
  ];
  for (const [maker, tensor] of found)
    if (tensor) throw new Error(refusal(maker, `${tensor.name}, ${tensor.dtype}`));
}

function refusal(maker: string | null, evidence: string): string {
  const how = maker === null ? 'in a format of their own' : `by ${maker}`;
  return (
    `this model's weights are quantised ${how} (${evidence}), which cannot be read here: ` +
    'take the original model from which they were made, or a GGUF file of it'
  );
}
