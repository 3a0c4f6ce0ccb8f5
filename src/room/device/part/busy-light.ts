/**
 * Whether this device is at work, for its screen: on with the first token, off once none has come for a
 * moment. A screen that was drawn anew at every token would take time from the tokens.
 */
const restMs = 500;

/** Takes every change between busy and idle, and passes on what is worth showing. */
export function createBusyLight(show: (isBusy: boolean) => void): (isBusy: boolean) => void {
  let isOn = false;
  let idleSinceMs: number | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function check(): void {
    timer = undefined;
    if (idleSinceMs === null) return;
    const leftMs = restMs - (performance.now() - idleSinceMs);
    if (leftMs > 0) {
      timer = setTimeout(check, leftMs);
      return;
    }
    isOn = false;
    show(false);
  }

  return (isBusy) => {
    idleSinceMs = isBusy ? null : performance.now();
    if (isBusy && !isOn) {
      isOn = true;
      show(true);
    }
    if (!isBusy) timer ??= setTimeout(check, restMs);
  };
}
