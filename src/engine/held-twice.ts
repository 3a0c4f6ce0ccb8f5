/**
 * On wasm, blocks of fewer bytes are held whole as well as in parts. A block in parts takes three runs of
 * ONNX Runtime instead of one. Two more runs cost about 0.05 ms, and reading 16 MiB of weights ten times
 * that.
 */
export const heldTwiceBelowBytes = 16 * 2 ** 20;
