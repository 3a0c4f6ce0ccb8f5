/**
 * Calls back once the current task and its microtasks are done. It uses a message channel, because browsers
 * delay timers.
 */
export function inNextTask(callback: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    callback();
  };
  port2.postMessage(null);
}
