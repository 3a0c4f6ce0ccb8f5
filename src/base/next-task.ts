/**
 * Calls back when this task of the page, and all that it still resolves, is over. By a message to oneself: no
 * clock is waited for, and none of the rests that browsers put between timers.
 */
export function inNextTask(callback: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    callback();
  };
  port2.postMessage(null);
}
