/** How much one device may say: a bucket that fills steadily. */
export interface Allowance {
  /** Takes from the bucket; false once the device has had more than its share. */
  take(amount: number): boolean;
}

export interface AllowanceOptions {
  /** What may come at once. */
  burst: number;
  perSecond: number;
}

export function createAllowance({ burst, perSecond }: AllowanceOptions): Allowance {
  let left = burst;
  let filledAt = performance.now();
  return {
    take(amount) {
      const now = performance.now();
      left = Math.min(burst, left + ((now - filledAt) / 1000) * perSecond) - amount;
      filledAt = now;
      return left >= 0;
    },
  };
}
