/** Runs tasks one after another, in the order of the calls. */
export interface Queue {
  <Result>(task: () => Promise<Result>): Promise<Result>;
}

export function createQueue(): Queue {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = last.then(task, task);
    // A failed task concerns only its caller; the next ones still run.
    last = result.catch(() => undefined);
    return result;
  };
}
