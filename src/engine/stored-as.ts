/** The stored type with the precision of each weight type. */
import type { WeightType } from './engine.ts';
import type { StorableDtype } from '../model/numbers/quantise.ts';

export const storedAs: Record<WeightType, StorableDtype> = {
  f32: 'F32',
  f16: 'F16',
  q8: 'Q8_0',
  q4: 'Q4_0',
};
