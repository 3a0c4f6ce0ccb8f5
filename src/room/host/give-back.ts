/**
 * Gives the memory of numbers that nobody reads any more back at once; they are empty from then on. Left to the
 * collector, the logits of a large vocabulary bring on a full collection every second or so, and laps wait for it.
 */
export function giveBack({ buffer }: Float32Array): void {
  // Browsers of before 2024 have no other way than to wait for the collector.
  if ('transfer' in buffer) buffer.transfer(0);
}
