/** Turns every sign of too little memory into one sentence for people. */

/** How it shows on wasm: a C++ exception, Emscripten's abort, JavaScript's own limit, or ONNX Runtime's allocator. */
const wasmSigns =
  /bad_alloc|OOM|out of memory|memory access out of bounds|alloc\w* (failed|of)|failed to allocate|cannot enlarge/i;

/**
 * Runs a task that takes `bytes` of the device's memory. A GPU that is out of memory does not throw, so it is
 * asked afterwards.
 *
 * @param what names what needs the memory, such as `these weights`
 * @throws Error with a sentence for people if there is not enough
 */
export async function withMemory<Result>(
  device: GPUDevice | null,
  what: string,
  bytes: number,
  task: () => Promise<Result>,
): Promise<Result> {
  device?.pushErrorScope('out-of-memory');
  try {
    const result = await task();
    if (await device?.popErrorScope()) throw notEnough(what, bytes);
    return result;
  } catch (cause) {
    if (!wasmSigns.test(String(cause))) throw cause;
    throw notEnough(what, bytes, cause);
  }
}

function notEnough(what: string, bytes: number, cause?: unknown): Error {
  const megabytes = Math.ceil(bytes / 2 ** 20);
  return new Error(
    `${what} need ${megabytes} MiB, more than this device has left: give it fewer layers or smaller weights`,
    { cause },
  );
}
