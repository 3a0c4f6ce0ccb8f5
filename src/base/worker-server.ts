/** The two ends of a conversation by messages with a worker, as both a page and a worker see them. */

/** The common part of a worker's global scope, a worker and a message port. */
export interface Port {
  postMessage: (message: unknown) => void;
  addEventListener: (type: 'message', listener: (event: { data: unknown }) => void) => void;
}

/** Whoever answers at the other end of a port. */
export interface PortServer {
  port: Port;
  close: () => void;
  /** Called with the reason if the server fails; open questions stay unanswered. */
  onFailed: (callback: (why: string) => void) => void;
}

/** A worker as such a server. */
export function workerServer(worker: Worker): PortServer {
  return {
    port: worker,
    close: () => worker.terminate(),
    onFailed(callback) {
      worker.addEventListener('error', (event) => {
        event.preventDefault();
        callback(event.message || 'it could not be loaded');
      });
    },
  };
}
