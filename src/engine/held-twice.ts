/**
 * A block in parts takes three runs of ONNX Runtime instead of one. Two more runs cost about 0.05 ms; reading
 * 16 MiB of weights takes ten times as long: on wasm, blocks of fewer bytes are held whole as well.
 */
export const heldTwiceBelowBytes = 16 * 2 ** 20;
