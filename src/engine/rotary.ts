/** The angles of rotary position embedding (arXiv 2104.09864). */
import type { ModelConfig } from '../model/config.ts';
import { rotaryFrequencies } from '../model/rotary-frequencies.ts';

/** cos and sin of every position's angles, each [positions, head_dim / 2]. */
export function rotaryTables(
  config: Pick<ModelConfig, 'head_dim' | 'rope_theta' | 'rope_scaling'>,
  positions: number,
): { cos: Float32Array; sin: Float32Array; shape: [number, number] } {
  const half = config.head_dim / 2;
  const cos = new Float32Array(positions * half);
  const sin = new Float32Array(positions * half);
  for (const [pair, frequency] of rotaryFrequencies(config).entries())
    for (let position = 0; position < positions; position++) {
      cos[position * half + pair] = Math.cos(position * frequency);
      sin[position * half + pair] = Math.sin(position * frequency);
    }
  return { cos, sin, shape: [positions, half] };
}
