/** Sizes a memory budget moves by: near doublings, so that one slider spans a phone and a workstation. */
const MB = 1e6;
const GB = 1e9;

export const memorySteps: readonly number[] = [
  ...[64, 96, 128, 192, 256, 384, 512, 768].map((size) => size * MB),
  ...[1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64].map((size) => size * GB),
];

/** Index of the step nearest to `bytes`, by ratio. */
export function nearestStep(bytes: number): number {
  const distance = (step: number): number => Math.abs(Math.log(step / Math.max(1, bytes)));
  let nearest = 0;
  memorySteps.forEach((step, index) => {
    if (distance(step) < distance(memorySteps[nearest])) nearest = index;
  });
  return nearest;
}
