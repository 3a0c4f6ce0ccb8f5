/** Long work that others may ask for as often as they like, and that must not pile up for it. */

/**
 * Has `work` done for whoever asks. Who asks for the same while it is under way gets what comes of that: however
 * often it is asked for, one at a time is done and none waits.
 */
export function createSingleFlight<Result>(
  work: (what: string) => Promise<Result>,
): (what: string) => Promise<Result> {
  const underWay = new Map<string, Promise<Result>>();
  return (what) => {
    const known = underWay.get(what);
    if (known) return known;
    const begun = work(what).finally(() => underWay.delete(what));
    underWay.set(what, begun);
    return begun;
  };
}
