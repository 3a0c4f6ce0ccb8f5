/** The angles of rotary position embedding (arXiv 2104.09864). */
import {
  rotaryAmplitude,
  rotaryFrequencies,
  type RotaryFigures,
} from '../model/rotary/rotary-frequencies.ts';

/** cos and sin of every position's angles, each [positions, rotated pairs]. */
export function rotaryTables(
  config: RotaryFigures,
  positions: number,
): { cos: Float32Array; sin: Float32Array; shape: [number, number] } {
  const frequencies = rotaryFrequencies(config, positions);
  const amplitude = rotaryAmplitude(config);
  const pairs = frequencies.length;
  const cos = new Float32Array(positions * pairs);
  const sin = new Float32Array(positions * pairs);
  for (const [pair, frequency] of frequencies.entries())
    for (let position = 0; position < positions; position++) {
      cos[position * pairs + pair] = amplitude * Math.cos(position * frequency);
      sin[position * pairs + pair] = amplitude * Math.sin(position * frequency);
    }
  return { cos, sin, shape: [positions, pairs] };
}
