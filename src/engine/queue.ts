/** Runs tasks one after another, in the order in which they were asked for. */
export interface Queue {
  <Result>(task: () => Promise<Result>): Promise<Result>;
}

export function createQueue(): Queue {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = last.then(task, task);
    // A failed task is its caller's to handle; those behind it go on.
    last = result.catch(() => undefined);
    return result;
  };
}
